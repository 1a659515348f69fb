import { hostInterface, hostInterfaces, linkEnds, port, zone } from "../kinds/network.js";
import { hostPath } from "../kinds/text.js";
import { boolean } from "../kinds/words.js";
import { type Row, row } from "./row.js";

/** [Network] of systemd.nspawn(5). Without any of it, the machine is in the host's network. */
export const networkSettings = {
  Private: {
    ...row("--private-network", 226, "flag", "yes", boolean),
    doc: "Gives the machine a network of its own; all other settings of this section do, too, but NamespacePath and Port.",
  },
  NamespacePath: {
    ...row("--network-namespace-path", 236, "value", "yes", hostPath),
    doc: "Puts the machine into a network namespace that is there. Not with interfaces of its own.",
  },
  VirtualEthernet: {
    ...row("--network-veth", 226, "flag", "yes", boolean),
    doc: "Links the machine to the host: ve-MACHINE on the host is host0 in the machine.",
  },
  VirtualEthernetExtra: {
    ...row("--network-veth-extra", 228, "each", "yes", linkEnds),
    doc: "One more link to the host.",
  },
  Interface: {
    ...row("--network-interface", 226, "each", "yes", hostInterfaces),
    doc: "An interface of the host that is the machine's as long as it runs.",
  },
  MACVLAN: {
    ...row("--network-macvlan", 226, "each", "yes", hostInterfaces),
    doc: "An interface of the host on which the machine gets a MACVLAN interface: an address of its own in the host's network.",
  },
  IPVLAN: {
    ...row("--network-ipvlan", 226, "each", "yes", hostInterfaces),
    doc: "The same with an IPVLAN interface, which shares the host's hardware address.",
  },
  Bridge: {
    ...row("--network-bridge", 226, "value", "yes", hostInterface),
    doc: "Links the machine to a bridge of the host. Not with Zone.",
  },
  Zone: {
    ...row("--network-zone", 230, "value", "yes", zone),
    doc: "Links the machine to all others of this zone, by a bridge that comes and goes with them. Not with Bridge.",
  },
  Port: {
    ...row("--port", 226, "each", "yes", port),
    doc: "A port of the host that leads to one of the machine, which must have a network of its own. Of one host port the nearest counts.",
  },
} as const satisfies Readonly<Record<string, Row>>;

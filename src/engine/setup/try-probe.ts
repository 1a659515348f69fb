import { request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";
import { connect } from "node:net";
import { CommandError, messageOf } from "../../base/errors.js";
import { type MachineNetwork, networkOf } from "../../machine/addresses.js";
import { enterCommand } from "../../machine/enter-command.js";
import { withEntry } from "../../machine/entry.js";
import type { RunningMachine } from "../../machine/leader.js";
import type { ProbeSpec } from "../../plan/probe.js";
import { tlsTrust } from "../../transport/trust.js";
import type { EngineContext } from "../context.js";

type Way<K extends ProbeSpec["kind"]> = Extract<ProbeSpec, { readonly kind: K }>;

/**
 * Tries once whether a machine works.
 * @param machine undefined if it has no process
 * @param signal ends the try
 * @returns why it does not seem to, undefined if it does
 */
export async function tryProbe(
  context: Pick<EngineContext, "host" | "config">,
  spec: ProbeSpec,
  machine: RunningMachine | undefined,
  signal: AbortSignal,
): Promise<string | undefined> {
  if (!machine) return "the machine has no process";
  try {
    return await (ways[spec.kind] as WayOf<ProbeSpec["kind"]>)(context, spec as never, machine, signal);
  } catch (error) {
    return signal.aborted ? "no answer" : messageOf(error);
  }
}

type WayOf<K extends ProbeSpec["kind"]> = (
  context: Pick<EngineContext, "host" | "config">,
  spec: Way<K>,
  machine: RunningMachine,
  signal: AbortSignal,
) => Promise<string | undefined>;

const ways: { readonly [K in ProbeSpec["kind"]]: WayOf<K> } = {
  command: async ({ host }, { argv }, machine, signal) => {
    const inside = { argv, environment: machineEnvironment, terminal: false };
    try {
      await withEntry(machine, (entry) => host.run({ argv: enterCommand(entry, inside), shown: argv, signal }));
      return undefined;
    } catch (error) {
      if (!(error instanceof CommandError) || signal.aborted) throw error;
      const last = error.output.trim().split("\n").at(-1) ?? "";
      return last === "" ? error.message : `${error.message}: ${last}`;
    }
  },
  tcp: async (_, { host, port }, { leader }, signal) => {
    const hosts = host === undefined ? addressesOf(networkOf(leader.pid)) : [host];
    if (hosts.length === 0) return "the machine has no address yet";
    const tries = hosts.map((address) => connects(address, port, signal));
    return Promise.any(tries).catch((error: AggregateError) => messageOf(error.errors[0]));
  },
  http: async ({ config }, { url }, _, signal) => {
    const { hostname, protocol } = new URL(url);
    const trust = config.auth.get(hostname.toLowerCase())?.trust ?? { kind: "system" as const };
    const status = await new Promise<number>((done, fail) => {
      const request =
        protocol === "https:"
          ? requestHttps(url, { signal, agent: false, ...tlsTrust(trust, process.env.NODE_EXTRA_CA_CERTS) })
          : requestHttp(url, { signal, agent: false });
      request.once("response", (response) => {
        response.destroy();
        done(response.statusCode ?? 0);
      });
      request.once("error", fail);
      request.end();
    });
    return status >= 200 && status < 400 ? undefined : `HTTP status ${status}`;
  },
};

const machineEnvironment = { PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", HOME: "/root" };

/** Where a machine takes connections of the host. */
function addressesOf(network: MachineNetwork | undefined): readonly string[] {
  if (!network) return [];
  return network.kind === "host" ? ["127.0.0.1", "::1"] : network.addresses;
}

/** @throws Error if nobody takes the connection, or not before the signal */
function connects(host: string, port: number, signal: AbortSignal): Promise<undefined> {
  return new Promise((done, fail) => {
    const socket = connect({ host, port, signal });
    socket.once("error", fail);
    socket.once("connect", () => {
      socket.destroy();
      done(undefined);
    });
  });
}

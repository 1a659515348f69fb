import { describe, expect, test } from "vitest";
import { deviceAllowances, isDevicePath, unknownDeviceFolders } from "../../src/machine/devices.js";
import type { SettingName } from "../../src/settings/catalog.js";

const settings = (name: SettingName, ...values: readonly string[]) => values.map((value) => ({ name, value, origin: "o" }));
const allowed = (name: SettingName, ...values: readonly string[]): readonly string[] =>
  deviceAllowances(settings(name, ...values)).map(({ target, access }) => `${target} ${access}`);

describe("deviceAllowances", () => {
  test("a device of the host may be read and written, or only read", () => {
    expect(allowed("Bind", "/dev/fuse", "/dev/ttyUSB0:/dev/modem", "/dev/sda1:/data:norbind")).toEqual([
      "/dev/fuse rw",
      "/dev/ttyUSB0 rw",
      "/dev/sda1 rw",
    ]);
    expect(allowed("BindReadOnly", "/dev/video0")).toEqual(["/dev/video0 r"]);
  });

  test("a device that need not be there counts, too", () => {
    expect(allowed("Bind", "-/dev/nvidia0")).toEqual(["/dev/nvidia0 rw"]);
  });

  test("a folder whose devices come and go is allowed as their group", () => {
    expect(allowed("Bind", "/dev/dri", "/dev/snd/", "/dev/bus/usb/:/dev/bus/usb", "/dev/input")).toEqual([
      "char-drm rw",
      "char-alsa rw",
      "char-usb_device rw",
      "char-input rw",
    ]);
  });

  test("each is allowed once", () => {
    expect(allowed("Bind", "/dev/fuse", "/dev/fuse:/dev/x")).toEqual(["/dev/fuse rw"]);
  });

  test("what is no device of the host needs nothing", () => {
    expect(allowed("Bind", "/srv/dev/x", "/device", "+/dev/x", ":/dev/x", "/dev/shm", "/dev/shm/x", "/dev/")).toEqual([]);
    expect(allowed("TemporaryFileSystem", "/dev/x")).toEqual([]);
  });
});

test("a folder of devices that are of no known group is told", () => {
  expect(unknownDeviceFolders(settings("Bind", "/dev/mapper/", "/dev/mapper/:/x", "/dev", "/dev/dri/", "/dev/fuse", "/srv/"))).toEqual([
    "/dev/mapper",
    "/dev",
  ]);
});

test("only /dev has devices, but for the memory that processes share", () => {
  expect(["/dev", "/dev/null", "/devil", "/dev/shm", "/dev/shm/a", "/dev/shmall", "/srv/dev"].filter(isDevicePath)).toEqual([
    "/dev",
    "/dev/null",
    "/dev/shmall",
  ]);
});

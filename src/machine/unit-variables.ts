/** What a template sees; docs/unit.md tells users. All texts but `name` are ready to be put into the unit. */
export type UnitVariables = {
  /** Version of the host's systemd, 0 if it is not known. */
  readonly systemd: number;
  readonly name: string;
  readonly script: string;
  readonly state: string;
  readonly root: string;
  readonly runtime: string;
  readonly layers_folder: string;
  /** Paths that have to be mounted before. */
  readonly mounts: string;
  /** Top layer first. */
  readonly layers: readonly { readonly id: string; readonly url: string; readonly digest: string; readonly path: string }[];
  /** Commands that make what is missing on the host, that mount the root, that undo it, and that clean up after a crash. */
  readonly prepare: readonly string[];
  readonly mount: readonly string[];
  readonly release: readonly string[];
  readonly clean: readonly string[];
  readonly settings: readonly { readonly name: string; readonly value: string; readonly origin: string }[];
  /** Lines of [Service] that settings give. */
  readonly directives: readonly string[];
  /** The whole command line of systemd-nspawn, an argument each, and where the command in it comes from. */
  readonly nspawn: readonly string[];
  readonly command_origin: string;
  readonly unit_conf: readonly string[];
  readonly service_conf: readonly string[];
  readonly install_conf: readonly string[];
};

// @ts-check

/**
 * What is made when it is first asked for: rows that are not measured make nothing.
 * @template T @param {() => T} make @returns {() => T}
 */
export function lazily(make) {
  /** @type {{ readonly value: T } | undefined} */
  let made;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}

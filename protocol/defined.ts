/** `Fields` where each that may be undefined may be missing, and none is undefined. */
export type Defined<Fields extends object> = {
  [Key in keyof Fields as undefined extends Fields[Key] ? never : Key]: Fields[Key]
} & {
  [Key in keyof Fields as undefined extends Fields[Key] ? Key : never]?: Exclude<
    Fields[Key],
    undefined
  >
}

/**
 * The fields that have a value, for what is written down or sent, where a field that is undefined would
 * not be the same as one that is missing. Types of options allow both, and need no copy.
 * @example
 * defined({ price: 5n, reason: undefined }) // { price: 5n }
 */
export function defined<Fields extends object>(fields: Fields): Defined<Fields> {
  // Not by assignment, which makes of a field `__proto__` what all others come from.
  return Object.fromEntries(
    Object.entries(fields).filter(([, value]) => value !== undefined),
  ) as Defined<Fields>
}

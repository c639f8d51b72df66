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
 */
export function defined<Fields extends object>(fields: Fields): Defined<Fields> {
  const kept: { [key: string]: unknown } = {}
  for (const [key, value] of Object.entries(fields)) if (value !== undefined) kept[key] = value
  return kept as Defined<Fields>
}

// What a shell script sees of an error, in both programs.

/** A number keeps its meaning for ever. */
export const commonExitCode = {
  ok: 0,
  failed: 1,
  usage: 2,
  refused: 3,
  receiver: 4,
  chain: 5,
  key: 6,
  state: 7,
} as const

/** Error codes that begin alike, and what they exit with. */
export type ExitCodeFamily<Code extends number> = readonly [pattern: RegExp, code: Code]

/** The first pattern that fits an error's code decides. */
export function exitCodeIn<Code extends number>(
  families: readonly ExitCodeFamily<Code>[],
  code: string,
): Code | typeof commonExitCode.failed {
  return families.find(([family]) => family.test(code))?.[1] ?? commonExitCode.failed
}

// The manual pages and completions of both programs, and where they are.
import { bashCompletion } from './bash.ts'
import { fishCompletion } from './fish.ts'
import { manualPage } from './man.ts'
import { programs } from './model.ts'
import { zshCompletion } from './zsh.ts'

/** Their texts, by their path in the checkout. */
export function manualFiles(): ReadonlyMap<string, string> {
  return new Map(
    programs.flatMap((program) => {
      const { name } = program
      return [
        [`deploy/pi/man/${name}.1`, manualPage(program)],
        [`deploy/pi/completion/${name}`, bashCompletion(program)],
        [`deploy/pi/completion/_${name}`, zshCompletion(program)],
        [`deploy/pi/completion/${name}.fish`, fishCompletion(program)],
      ] as const
    }),
  )
}

// The commands config check and schema, for both programs.
import type { z } from 'zod'
import { jsonSchemaOf } from '../config/index.ts'
import { printedSettings } from '../text/printed.ts'
import { createOutput, toJson } from './output.ts'
import type { ConfigCommands } from './program.ts'

/** What the commands need to know of a program. */
export interface ConfigProgram<Options> {
  /** The configuration's usual file name. */
  readonly name: string
  readonly schema: z.ZodType
  /** The named file, or the one that is found without a name; undefined when there is none. */
  readonly fileOf: (named: string | undefined, options: Options) => string | undefined
  readonly load: (file: string | undefined, options: Options) => Promise<unknown>
}

/** For `addConfigCommands`. */
export function configCommands<Options extends { readonly json?: boolean }>({
  name,
  schema,
  fileOf,
  load,
}: ConfigProgram<Options>): ConfigCommands<Options> {
  return {
    name,
    configCheck: async (named, options) => {
      const file = fileOf(named, options)
      const output = createOutput(options.json ?? false)
      const config = await load(file, options)
      output.print(
        output.json
          ? toJson({ file, config: printedSettings(config) })
          : `${file ?? 'What was given'} is right.`,
      )
      return 0
    },
    configSchema: async () => {
      createOutput(true).print(toJson({ title: name, ...jsonSchemaOf(schema) }))
      return 0
    },
  }
}

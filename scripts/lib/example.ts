// ./scripts/example NAME: one of scripts/examples on a test chain, until Ctrl-C.
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { Argument, Command } from 'commander'
import { examplesFolder, type RunningExample, startExample } from './examples/start.ts'
import { integer } from './shared/arguments.ts'
import { runScript, stopRequest } from './shared/script.ts'

const names = readdirSync(examplesFolder)
const program = new Command('example')
  .description('a shop of scripts/examples on a local test chain, until you press Ctrl-C')
  .addArgument(new Argument('<name>').choices(names))
  .option('--port <number>', 'TCP port on 127.0.0.1', integer(0, 65_535), 5000)
  .parse()
const [name = ''] = program.args
const { port } = program.opts<{ readonly port: number }>()

await runScript('example', async () => {
  const stopped = stopRequest()
  const example = await startExample({ folder: join(examplesFolder, name), port })
  try {
    process.stdout.write(textOf(example))
    await stopped
  } finally {
    await example.stop()
  }
})

function textOf({ resources, url, agentConfig }: RunningExample): string {
  const sold = resources.map((path) => `  ${url}${path}`)
  return `The example "${name}" sells, on a test chain that is gone with it:

${sold.join('\n')}

Buy in another terminal, with an account that has tokens:

  ./scripts/uraiden-agent --config ${agentConfig} get ${url}/…

Ctrl-C ends it.
`
}

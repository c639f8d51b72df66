// ./scripts/example NAME: one of scripts/examples on a test chain, until Ctrl-C.
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { Argument, Command } from 'commander'
import { examplesFolder, startExample } from './examples/start.ts'
import { integer } from './shared/arguments.ts'

const names = readdirSync(examplesFolder)
const program = new Command('example')
  .description('a shop of scripts/examples on a local test chain, until you press Ctrl-C')
  .addArgument(new Argument('<name>').choices(names))
  .option('--port <number>', 'TCP port on 127.0.0.1', integer(0, 65_535), 5000)
  .parse()
const [name = ''] = program.args
const { port } = program.opts<{ readonly port: number }>()

const stopped = new Promise((resolve) => {
  process.once('SIGINT', resolve)
  process.once('SIGTERM', resolve)
})
const example = await startExample({ folder: join(examplesFolder, name), port })
const sold = example.resources.map((path) => `  ${example.url}${path}`)
process.stdout.write(`The example "${name}" sells, on a test chain that is gone with it:

${sold.join('\n')}

Buy in another terminal, with an account that has tokens:

  ./scripts/uraiden-agent --config ${example.agentConfig} get ${example.url}/…

Ctrl-C ends it.
`)
await stopped
await example.stop()

// ./scripts/demo: see its --help.
import { Command } from 'commander'
import { runDemo, sumsAgree } from './demo/run.ts'
import { silentView, terminalView } from './demo/terminal.ts'
import { integer } from './shared/arguments.ts'

const { payments, json } = new Command('demo')
  .description('a device buys sensor readings on a local test chain')
  .option('--payments <number>', 'how many readings to buy', integer(1, 100_000), 20)
  .option('--json', 'print one JSON object at the end, amounts in the smallest unit as strings')
  .parse()
  .opts<{ payments: number; json?: true }>()

if (!json) {
  process.stdout.write(
    'µRaiden for Raspberry Pi: a device buys sensor readings on a local test chain\n',
  )
}
const view = json ? silentView : terminalView(payments, process.stdout)
const result = await runDemo(payments, view)
view.end(result)
if (json) {
  const text = JSON.stringify(result, (_, value) =>
    typeof value === 'bigint' ? value.toString() : value,
  )
  process.stdout.write(`${text}\n`)
}
process.exitCode = sumsAgree(result) ? 0 : 1

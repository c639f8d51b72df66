// ./scripts/bench gas: gas of every operation beside its goal; --write makes it the snapshot that the
// tests hold every change against.
import { writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { Command } from 'commander'
import { measureGas } from './lib/gas.ts'
import { gasTable } from './lib/gas-table.ts'

const path = (name: string) => fileURLToPath(new URL(`../${name}`, import.meta.url))

const { json, write } = new Command('gas')
  .description('gas of every operation of the channels contract')
  .option('--json', 'print one JSON object')
  .option('--write', 'write contracts/gas-snapshot.json and docs/reference/gas.md')
  .parse()
  .opts<{ json?: true; write?: true }>()

const figures = await measureGas()
if (write) {
  await writeFile(path('contracts/gas-snapshot.json'), `${JSON.stringify(figures, null, 2)}\n`)
  await writeFile(path('docs/reference/gas.md'), gasTable(figures))
}
process.stdout.write(json ? `${JSON.stringify(figures)}\n` : gasTable(figures))

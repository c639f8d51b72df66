// Every input of the corpus, those that once broke a parser among them: parsed, or refused with what to do.
import { readdirSync, readFileSync } from 'node:fs'
import test from 'ava'
import { onlyOurs, targets } from './targets.ts'

for (const { name, run } of targets) {
  const folder = new URL(`./corpus/${name}/`, import.meta.url)
  for (const file of readdirSync(folder)) {
    test.serial(`${name}: ${file}`, async (t) => {
      try {
        await run(readFileSync(new URL(file, folder)))
      } catch (error) {
        onlyOurs(error)
      }
      t.pass()
    })
  }
}

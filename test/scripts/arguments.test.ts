// What is run by hand says what is wrong with its options, and no stack.
import { execFile } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import test from 'ava'

const root = new URL('../../', import.meta.url)
const programsIn = (folder: string, name: RegExp) =>
  readdirSync(new URL(folder, root))
    .filter((file) => name.test(file))
    .map((file) => `${folder}/${file}`)

const programs = [
  ...programsIn('bench', /\.ts$/),
  ...programsIn('test/lab', /^(torture-.*|faults|pi-system)\.ts$/),
  'test/fuzz/run.ts',
  'test/fuzz/trust.ts',
]

for (const program of programs) {
  test.serial(`${program} names an option that it does not know`, async (t) => {
    const { code, stderr } = await new Promise<{ code: unknown; stderr: string }>((resolve) =>
      execFile(
        process.execPath,
        [fileURLToPath(new URL(program, root)), '--nonsense'],
        (error, _, said) => resolve({ code: error?.code, stderr: said }),
      ),
    )
    t.is(code, 1)
    t.regex(stderr, /^error: unknown option '--nonsense'$/m)
    t.notRegex(stderr, /^ +at /m)
  })
}

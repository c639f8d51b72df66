// What the benchmark compares with, and what makes the executable, is nothing that the product has or needs.
import { readFile } from 'node:fs/promises'
import test from 'ava'

const json = async (file: string) =>
  JSON.parse(await readFile(new URL(`../../${file}`, import.meta.url), 'utf8'))

for (const folder of ['bench/peers', 'deploy/pi/packaging/pkg']) {
  test(`packages of ${folder} are in their own folder, at exact versions, with the hash of each`, async (t) => {
    const own = await json(`${folder}/package.json`)
    const lock = await json(`${folder}/package-lock.json`)
    t.true(own.private)
    for (const version of Object.values(own.dependencies)) t.regex(`${version}`, /^\d+\.\d+\.\d+$/)
    t.deepEqual(lock.packages[''].dependencies, own.dependencies)
    for (const [path, entry] of Object.entries<{ readonly integrity?: string }>(lock.packages)) {
      if (path !== '') t.regex(entry.integrity ?? '', /^sha512-/, path)
    }
  })
}

test('the product and its tools depend on none of them', async (t) => {
  const { dependencies, devDependencies } = await json('package.json')
  const { packages } = await json('package-lock.json')
  for (const name of [
    'mppx',
    'viem',
    'ethereumjs-util',
    '@x402/core',
    '@x402/evm',
    '@yao-pkg/pkg',
  ]) {
    t.is(dependencies[name] ?? devDependencies[name], undefined, name)
    t.is(packages[`node_modules/${name}`], undefined, name)
  }
})

test('figures of the comparison are those of the run that is on record', async (t) => {
  const page = await readFile('docs/design/comparison.md', 'utf8')
  const record = await readFile('docs/design/performance.md', 'utf8')
  const [, run = ''] = record.split('\n## Beside others\n')
  const rowsOf = (text: string) =>
    text
      .split('\n')
      .flatMap((line) =>
        /^\| .*\| *[\d ]* \|$/.test(line) ? [line.split('|').map((cell) => cell.trim())] : [],
      )
  const shown = rowsOf(page.split('\n## Figures\n')[1] ?? '')
  t.is(shown.length, 5)
  for (const [, name = '', second, payer, seller, bytes, trips] of shown) {
    const row = rowsOf(run).find(([, own = '']) => own.replace(/, `[^`]*` [\d.]+/, '') === name)
    if (row === undefined) return t.fail(name)
    t.deepEqual([second, payer, seller, trips], [row[2], row[3], row[4], row[7]], name)
    t.is(bytes, row[5] === '' ? '' : `${Number(row[5]) + Number(row[6])}`, name)
  }
})

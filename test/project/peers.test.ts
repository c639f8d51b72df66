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

test('the figures of docs/design/comparison.md are those of docs/design/performance.md', async (t) => {
  const rows = async (page: string) => {
    const text = await readFile(new URL(`../../docs/design/${page}.md`, import.meta.url), 'utf8')
    return text.split('\n').flatMap((line) => {
      const [, what = '', ...cells] = line.split('|').map((cell) => cell.trim())
      return /^\d{2,}$/.test(cells[0] ?? '')
        ? [{ what, cells: cells.filter((cell) => cell !== '') }]
        : []
    })
  }
  const measured = (await rows('performance')).map(({ cells }) => cells.toSpliced(1, 2).join(' '))
  const compared = await rows('comparison')
  t.is(compared.length, 3)
  for (const { what, cells } of compared) t.true(measured.includes(cells.join(' ')), what)
})

import { readdirSync, readFileSync } from 'node:fs'
import test from 'ava'

const root = new URL('../../', import.meta.url)
const read = (path: string) => readFileSync(new URL(path, root), 'utf8')

test('every test that docs/design/contract-security.md names is there', (t) => {
  const sources = ['test/contracts/', 'test/contracts/solidity/'].flatMap((folder) =>
    readdirSync(new URL(folder, root))
      .filter((name) => /\.test\.ts$|\.t\.sol$/.test(name) && name !== 'security-doc.test.ts')
      .map((name) => read(folder + name)),
  )
  const named = read('docs/design/contract-security.md')
    .split('\n')
    .filter((line) => line.startsWith('|'))
    .map((line) => line.split('|').at(-2) ?? '')
    .flatMap((cell) => [...cell.matchAll(/`([^`]+)`/g)].map(([, name]) => name ?? ''))
  t.true(named.length > 25)
  t.deepEqual(
    named.filter((name) => !sources.some((source) => source.includes(name))),
    [],
  )
})

import { readFileSync } from 'node:fs'
import test from 'ava'

const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8')
const { dependencies, devDependencies, optionalDependencies } = JSON.parse(
  read('package.json'),
) as Record<string, Record<string, string>>
const all = { ...dependencies, ...devDependencies, ...optionalDependencies }
const names = Object.keys(all)

test('each dependency is explained, and nothing else is', (t) => {
  const explained = [
    ...read('docs/design/dependencies.md').matchAll(/`((?:@[a-z0-9-]+\/)?[a-z0-9.-]+)`/g),
  ]
  const mentioned = new Set(explained.map(([, name]) => name))
  t.deepEqual(
    names.filter((name) => !mentioned.has(name)),
    [],
  )
  const tables = read('docs/design/dependencies.md').matchAll(/^\| (`[^|]*`) \|/gm)
  const listed = [...tables].flatMap(([, cell]) => cell?.match(/[^`, ]+/g) ?? [])
  t.deepEqual(
    listed.filter((name) => !names.includes(name)),
    [],
  )
})

test('versions are exact', (t) => {
  for (const version of Object.values(all)) {
    t.regex(version, /^\d+\.\d+\.\d+(-[\w.]+)?$/)
  }
})

test('elliptic is not installed: nothing but the fallback of secp256k1 would use it', (t) => {
  const { packages } = JSON.parse(read('package-lock.json')) as {
    readonly packages: Readonly<Record<string, { readonly name?: string }>>
  }
  const named = Object.entries(packages).map(
    ([path, { name }]) => name ?? path.replace(/^.*node_modules\//, ''),
  )
  t.false(named.includes('elliptic'))
})

test('the lock file names no registry', (t) => {
  t.false(read('package-lock.json').includes('"resolved"'))
})

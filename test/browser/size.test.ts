// The library as a page loads it: bundled for browsers, with nothing of Node in it.
import { basename } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import test from 'ava'
import { build } from 'esbuild'

/** kB, compressed, of what a page loads at once: about 13 are the two noble libraries. */
const most = 26.5

/** Of what it loads when a channel is tied to its keys. */
const mostForBinding = 11

test('the library is bundled for a browser and small', async (t) => {
  const entry = fileURLToPath(new URL('../../browser/index.ts', import.meta.url))
  const { outputFiles, metafile, warnings } = await build({
    entryPoints: [entry],
    bundle: true,
    minify: true,
    splitting: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    outdir: 'out',
    metafile: true,
    write: false,
  })
  t.deepEqual(warnings, [])
  const sizes = new Map(
    outputFiles.map(({ path, contents }) => [basename(path), gzipSync(contents).length / 1000]),
  )
  const imported = (name: string): readonly string[] => {
    const [, output] = Object.entries(metafile.outputs).find(([path]) => path.endsWith(name)) ?? []
    const statically = output?.imports.filter(({ kind }) => kind === 'import-statement') ?? []
    return [name, ...statically.flatMap(({ path }) => imported(basename(path)))]
  }
  const weight = (names: Iterable<string>) =>
    [...new Set(names)].reduce((sum, name) => sum + (sizes.get(name) ?? 0), 0)
  const first = weight(imported('index.js'))
  const binding = weight([...sizes.keys()].filter((name) => name.startsWith('binding-')))
  const all = weight(sizes.keys())
  t.log(
    `${first.toFixed(1)} kB compressed at once, ${binding.toFixed(1)} kB for binding, ${all.toFixed(1)} kB in all`,
  )
  t.true(first > 1 && first < most)
  t.true(binding > 1 && binding < mostForBinding)
})

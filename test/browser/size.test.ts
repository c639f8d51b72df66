// The library as a page loads it: bundled for browsers, with nothing of Node in it.
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import test from 'ava'
import { build } from 'esbuild'

/** kB, compressed: about 13 are the two noble libraries. */
const most = 24

test('the library is bundled for a browser and small', async (t) => {
  const entry = fileURLToPath(new URL('../../browser/index.ts', import.meta.url))
  const { outputFiles, warnings } = await build({
    entryPoints: [entry],
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    write: false,
  })
  t.deepEqual(warnings, [])
  const [bundle] = outputFiles
  const size = gzipSync(bundle?.contents ?? '').length / 1000
  t.log(
    `${size.toFixed(1)} kB compressed, ${((bundle?.contents.length ?? 0) / 1000).toFixed(1)} kB`,
  )
  t.true(size > 1 && size < most)
})

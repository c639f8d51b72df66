// The code of README and docs is that of examples/, which the packages suite runs (test/packages/).
import { readFileSync } from 'node:fs'
import test from 'ava'

const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8')

test('the README shows the examples as they are', (t) => {
  const blocks = [...read('README.md').matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map(
    ([, code]) => code,
  )
  t.deepEqual(blocks, [read('examples/buy.ts'), read('examples/sell-fastify.ts')])
})

test('docs/guides/proxy.md shows the Python example as it is', (t) => {
  const [block] = /(?<=^```python\n)[\s\S]*?(?=^```$)/m.exec(read('docs/guides/proxy.md')) ?? []
  t.is(block, read('examples/buy.py'))
})

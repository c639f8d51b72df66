// What the checkout's package.json offers is what the published `uraiden-pi` offers.
import { readFileSync } from 'node:fs'
import test from 'ava'
import { manifestOf } from '../../scripts/lib/release/manifest.ts'
import { shapes } from '../../scripts/lib/release/shape.ts'

const checkout = JSON.parse(
  readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
) as Parameters<typeof manifestOf>[2] & { readonly exports: object; readonly bin: object }
const nothing = {
  files: new Map<string, string>(),
  imports: new Set<string>(),
  typeImports: new Set<string>(),
  siblings: new Set<never>(),
}

test('uraiden-pi has the same names and programs, published or from a checkout', (t) => {
  const manifest = manifestOf('uraiden-pi', nothing, checkout)
  const { exports, bin } = checkout
  t.like(manifest, { exports, bin })
  t.deepEqual(Object.keys(exports), [
    ...Object.keys(shapes['uraiden-pi'].entries),
    './package.json',
  ])
})

test('a package depends on exactly what its files import, and on nothing unknown', (t) => {
  const importing = (...names: readonly string[]) => ({
    ...nothing,
    imports: new Set(['node:fs', ...names]),
    siblings: new Set(['@uraiden/protocol'] as const),
  })
  t.like(manifestOf('@uraiden/agent', importing('got', '@noble/hashes/sha3.js'), checkout), {
    dependencies: {
      '@noble/hashes': checkout.dependencies['@noble/hashes'],
      '@uraiden/protocol': checkout.version,
      got: checkout.dependencies.got,
    },
  })
  t.throws(() => manifestOf('@uraiden/agent', importing('left-pad'), checkout), {
    message: '@uraiden/agent imports left-pad, which is no dependency',
  })
})

test('what is loaded only where it is configured is a peer that may be missing', (t) => {
  const loading = { ...nothing, imports: new Set(['pg', 'postgrator']) }
  t.like(manifestOf('@uraiden/receiver', loading, checkout), {
    dependencies: {},
    peerDependencies: checkout.optionalDependencies,
    peerDependenciesMeta: { pg: { optional: true }, postgrator: { optional: true } },
  })
})

test('where the project lives is said by every package, once its owner has said so', (t) => {
  const { repository, ...unknown } = { ...checkout, repository: undefined }
  t.false('repository' in manifestOf('@uraiden/agent', nothing, unknown))
  const known = {
    repository: 'github:owner/name',
    homepage: 'https://x.example',
    bugs: 'https://y.example',
  }
  t.like(manifestOf('@uraiden/agent', nothing, { ...checkout, ...known }), known)
})

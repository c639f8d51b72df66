// Who follows a link in the documentation arrives, and every page can be found.
import { existsSync, readFileSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import test, { type ExecutionContext } from 'ava'
import { temporaryFolder } from '../support/folder.ts'
import { brokenLinks, filesBelow, markdownFiles, reachableFrom } from '../support/markdown.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const index = 'docs/README.md'
const pages = markdownFiles(root).filter((file) => /^(docs\/.*|[^/]*)$/.test(file))

test('every relative link and anchor leads somewhere', (t) => {
  t.true(pages.length > 28)
  t.deepEqual(brokenLinks(root), [])
})

test('every page is reached from docs/README.md', (t) => {
  const reached = reachableFrom(root, index)
  t.deepEqual(
    pages.filter((file) => !reached.has(file)),
    [],
  )
})

test('docs/README.md has a line for every page of docs/, and names none twice', (t) => {
  const text = readFileSync(join(root, index), 'utf8')
  const listed = [...text.matchAll(/^- \[[^\]]+\]\(([^.)][^)]*)\): \S/gm)].map(([, path]) => path)
  const expected = pages.filter((file) => file.startsWith('docs/') && file !== index)
  t.deepEqual(listed.map((path) => `docs/${path}`).toSorted(), expected.toSorted())
})

test('every file of ours that a page names is there', (t) => {
  const ours =
    /`((?:\.\/)?(?:agent|receiver|protocol|platform|contracts|browser|deploy|scripts|test|bench)\/[\w./-]*)/g
  const named = pages
    // A changelog tells of what was there.
    .filter((file) => file !== 'CHANGELOG.md')
    .flatMap((file) =>
      [...readFileSync(join(root, file), 'utf8').matchAll(ours)].map(([, path = '']) => ({
        file,
        path,
      })),
    )
    // NAME stands for one that somebody adds.
    .filter(({ path }) => !path.includes('NAME'))
  t.true(named.length > 150)
  t.deepEqual(
    named.filter(({ path }) => !existsSync(join(root, path))),
    [],
  )
})

test('every page that code names is there', (t) => {
  const folders = ['bench', 'browser', 'contracts', 'deploy', 'platform', 'protocol', 'scripts']
  const named = [...folders, 'test']
    .flatMap((folder) => filesBelow(root, folder))
    .filter((file) => /(\.(ts|js|sol|yaml|service|conf|sh|1)|\/[a-z-]+)$/.test(file))
    .flatMap((file) =>
      [...readFileSync(join(root, file), 'utf8').matchAll(/(?<![\w/.-])docs\/[\w/-]+\.md/g)].map(
        ([page]) => ({ file, page }),
      ),
    )
  t.true(named.length > 30)
  t.deepEqual(
    named.filter(({ page }) => !existsSync(join(root, page))),
    [],
  )
})

async function fixture(t: ExecutionContext, files: { readonly [path: string]: string }) {
  const folder = await temporaryFolder(t)
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true })
    await writeFile(join(folder, path), text)
  }
  return folder
}

const target = '# Top\n\n## What is *sold*?\n\n## Tests\n\n## Tests\n\n```\n# no heading\n```\n'

for (const { what, text, broken } of [
  { what: 'a file that is not there', text: '[a](missing.md)', broken: 'missing.md' },
  { what: 'a folder too high', text: '[a](../target.md)', broken: '../target.md' },
  { what: 'no such heading', text: '[a](target.md#sold)', broken: 'target.md#sold' },
  { what: 'a comment in code', text: '[a](target.md#no-heading)', broken: 'target.md#no-heading' },
  { what: 'the third of two', text: '[a](target.md#tests-2)', broken: 'target.md#tests-2' },
  { what: 'no heading of its own', text: '[a](#elsewhere)', broken: '#elsewhere' },
  { what: 'a folder has no headings', text: '[a](sub#top)', broken: 'sub#top' },
  { what: 'a picture', text: '<img src="lost.png">', broken: 'lost.png' },
  { what: 'by reference', text: '[a]: gone.md', broken: 'gone.md' },
]) {
  test(`a broken link is found: ${what}`, async (t) => {
    const folder = await fixture(t, {
      'page.md': `# Page\n\n${text}\n`,
      'target.md': target,
      'sub/x.md': '',
    })
    t.deepEqual(brokenLinks(folder), [`page.md:3 ${broken}`])
  })
}

test('links that lead somewhere, other hosts and code are let be', async (t) => {
  const folder = await fixture(t, {
    'page.md': `# Page
[a](target.md) [b](target.md#what-is-sold "title") [c](target.md#tests-1) [d](#page) [e](sub)
![f](sub/x.md) https://example.org/missing.md [g](https://example.org/missing.md)
\`[h](missing.md)\`

\`\`\`
[i](missing.md)
\`\`\`
`,
    'target.md': target,
    'sub/x.md': '',
  })
  t.deepEqual(brokenLinks(folder), [])
})

test('a page that nothing links to is not reached', async (t) => {
  const folder = await fixture(t, {
    'README.md': '[a](a.md)',
    'a.md': '[b](sub/b.md)',
    'sub/b.md': '[home](../README.md)',
    'lonely.md': '[home](README.md)',
  })
  t.deepEqual([...reachableFrom(folder, 'README.md')], ['README.md', 'a.md', 'sub/b.md'])
})

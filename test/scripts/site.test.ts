// The documentation as a site: what becomes of links, the menu, and that a dead link is found in what was built.
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import test from 'ava'
import { deadLinks } from '../../scripts/lib/site/check.ts'
import { menuOf, placeOf, sitePage } from '../../scripts/lib/site/pages.ts'
import { temporaryFolder } from '../support/folder.ts'
import { filesBelow } from '../support/markdown.ts'

const page = 'docs/guides/packages.md'

for (const { what, text, on, withRepository = on } of [
  { what: 'a page beside it', text: '[a](npm.md)', on: '[a](./npm.md)' },
  {
    what: 'a page of another folder',
    text: '[a](../design/keys.md#x)',
    on: '[a](./../design/keys.md#x)',
  },
  { what: 'the index', text: '[a](../README.md)', on: '[a](./../index.md)' },
  {
    what: 'a page of the root',
    text: '[a](../../SECURITY.md)',
    on: '[a](./../project/security.md)',
  },
  {
    what: 'a file of the sources',
    text: '[the rules](../../deploy/monitoring/prometheus-rules.yaml)',
    on: 'the rules (`deploy/monitoring/prometheus-rules.yaml`)',
    withRepository: '[the rules](https://example.org/x/deploy/monitoring/prometheus-rules.yaml)',
  },
  {
    what: 'a file that is its own name',
    text: '[`scripts/geth`](../../scripts/geth)',
    on: '`scripts/geth`',
    withRepository: '[`scripts/geth`](https://example.org/x/scripts/geth)',
  },
  { what: 'its own heading', text: '[a](#install)', on: '[a](#install)' },
  {
    what: 'another host',
    text: '[a](https://example.org/a.md)',
    on: '[a](https://example.org/a.md)',
  },
  { what: 'a picture', text: '![a](../images/x.png)', on: '![a](./../images/x.png)' },
  {
    what: 'a picture in HTML',
    text: '<img src="../images/x.png">',
    on: '<img src="./../images/x.png">',
  },
  { what: 'a block of code', text: '```\n[a](npm.md)\n```', on: '```\n[a](npm.md)\n```' },
]) {
  test(`a link on the site: ${what}`, (t) => {
    t.is(sitePage(page, text), on)
    t.is(sitePage(page, text, 'https://example.org/x'), withRepository)
  })
}

test('a page of the root finds pages and pictures of docs/', (t) => {
  t.is(sitePage('README.md', '[a](docs/guides/npm.md)'), '[a](./../guides/npm.md)')
  t.is(sitePage('README.md', '![a](docs/images/x.png)'), '![a](./../images/x.png)')
})

test('the menu has every page of docs/ but the index, once', async (t) => {
  const menu = menuOf(await readFile('docs/README.md', 'utf8'))
  t.deepEqual(
    menu.map(({ text }) => text),
    ['Tutorials', 'Guides', 'Reference', 'Design'],
  )
  const listed = menu.flatMap(({ items }) => items.map(({ link }) => `${link.slice(1)}.md`))
  const pages = filesBelow('.', 'docs').filter((path) => path.endsWith('.md'))
  const inFolders = pages.map((path) => placeOf(path)).filter((place) => place?.includes('/'))
  t.deepEqual(listed.toSorted(), inFolders.toSorted())
})

test('in what was built, a link without a page and an anchor without a place are found', async (t) => {
  const folder = await temporaryFolder(t)
  const files = {
    'index.html':
      '<h1 id="top"></h1><a href="/a/b.html#here">x</a><a href="#top">x</a><a href="/">x</a>',
    'a/b.html':
      '<h2 id="here"></h2><a href="../index.html#gone">x</a><a href="./c.html">x</a><img src="/lost.png"><a href="https://example.org/">x</a>',
  }
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true })
    await writeFile(join(folder, path), text)
  }
  t.deepEqual(await deadLinks(folder), [
    'a/b.html ../index.html#gone',
    'a/b.html ./c.html',
    'a/b.html /lost.png',
  ])
})

// The documentation as a site: pages of a small checkout, the navigation, and what fails the build.
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { buildSite } from '../../scripts/lib/site/build.ts'
import { checkSite } from '../../scripts/lib/site/check.ts'
import { navigation } from '../../scripts/lib/site/navigation.ts'
import { writePages } from '../../scripts/lib/site/pages.ts'
import { temporaryFolder } from '../support/folder.ts'
import { needing, siteTools, tools } from '../support/tools.ts'

// These pages are not ours: test/project/docs-links.test.ts shall not look for them.
const docs = 'docs'

const checkout = {
  'README.md': '# Pi\n\n[Contents](docs/README.md) [all](docs) [how](CONTRIBUTING.md#set-up)\n',
  'CONTRIBUTING.md': '# Contributing\n\n## Set up\n',
  'docs/README.md': `# Documentation

- [README](../README.md): what it is
- [CONTRIBUTING](../CONTRIBUTING.md): how to help

## Tutorials: learn it

- [First](tutorials/first.md): a \`payment\`

## Guides: get it done
`,
  [`${docs}/tutorials/first.md`]: `# First

[second](../guides/second.md#what-is-sold) ![page](../images/page.png) [a shop](../../shops)
[its code](../../shops/shop.ts) [out](https://example.org/x.md) and \`[no link](gone.md)\`

{{ price }} costs {5} units: \`{{ code }}\` :smile:
`,
  [`${docs}/guides/second.md`]:
    '# Second\n\n## What is *sold*?\n\n```haproxy\n[no link](gone.md)\n```\n',
  'docs/images/page.png': 'png',
  'shops/NOTES.md': '# Notes\n',
  'shops/shop.ts': 'const fence = `a```b`\n',
} as const satisfies { readonly [path: string]: string }

async function given(t: ExecutionContext, files: { readonly [path: string]: string }) {
  const root = await temporaryFolder(t)
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(root, path)), { recursive: true })
    await writeFile(join(root, path), text)
  }
  return root
}

test('links lead to the site’s own pages; a file that a page links to becomes one', async (t) => {
  const root = await given(t, checkout)
  const folder = join(root, 'site')
  const { groups, pages, sources } = await writePages(root, folder)
  const read = (page: string) => readFile(join(folder, page), 'utf8')
  t.deepEqual([pages, sources], [5, 3])
  t.is(
    await read('index.md'),
    '---\ndescription: "what it is"\n---\n# Pi\n\n[Contents](/contents) [all](/contents) [how](/contributing#set-up)\n',
  )
  const first = await read('tutorials/first.md')
  t.true(first.startsWith('---\ndescription: "a payment"\n---\n# First\n'))
  t.true(first.includes('[second](/guides/second#what-is-sold) ![page](/images/page.png)'))
  t.true(first.includes('[a shop](/source/shops)\n[its code](/source/shops/shop.ts)'))
  t.true(first.includes('[out](https://example.org/x.md) and `[no link](gone.md)`'))
  t.is(
    await read('source/shops.md'),
    '# shops\n\n- [NOTES.md](/source/shops/NOTES-md)\n- [shop.ts](/source/shops/shop.ts)\n',
  )
  t.true((await read('source/shops/shop.ts.md')).includes('````ts\nconst fence'))
  t.is(await read('public/images/page.png'), 'png')
  t.deepEqual(groups, [
    {
      title: 'Start',
      entries: [
        { title: 'README', link: '/' },
        { title: 'CONTRIBUTING', link: '/contributing' },
      ],
    },
    { title: 'Tutorials', entries: [{ title: 'First', link: '/tutorials/first' }] },
    { title: 'Guides', entries: [{ title: 'Second', link: '/guides/second' }] },
  ])
})

test('the navigation: the order of docs/README.md, then what else is in the folder', (t) => {
  const pages = ['docs/README.md', 'docs/glossary.md', `${docs}/guides/b.md`, `${docs}/guides/a.md`]
  const index = '# Docs\n\n## Guides: do\n\n- [B, the guide](guides/b.md): about b\n\n## Design\n'
  t.deepEqual(
    navigation(index, pages, (page) => `title of ${page}`),
    [
      {
        title: 'Start',
        entries: [{ title: 'title of docs/glossary.md', page: 'docs/glossary.md', about: '' }],
      },
      {
        title: 'Guides',
        entries: [
          { title: 'B, the guide', page: `${docs}/guides/b.md`, about: 'about b' },
          { title: `title of ${docs}/guides/a.md`, page: `${docs}/guides/a.md`, about: '' },
        ],
      },
      { title: 'Design', entries: [] },
    ],
  )
})

for (const { what, html, problem } of [
  { what: 'a page', html: '<a href="/docs/gone.html">', problem: '/docs/gone.html leads nowhere' },
  { what: 'a heading', html: '<a href="b#gone">', problem: 'b#gone names no heading' },
  { what: 'a heading of its own', html: '<a href="#x">', problem: '#x names no heading' },
  { what: 'a place above', html: '<a href="/other/">', problem: '/other/ is outside of the site' },
  { what: 'a picture', html: '<img src="a.png">', problem: 'a.png leads nowhere' },
  {
    what: 'a script of another host',
    html: '<script src="https://example.org/x.js"></script>',
    problem: 'https://example.org/x.js is loaded from elsewhere',
  },
]) {
  test(`a built site is refused: ${what}`, async (t) => {
    const folder = await given(t, { 'a.html': html, 'b.html': '' })
    const { problems } = await checkSite(folder, '/docs/')
    t.deepEqual(problems, [`a.html: ${problem}`])
  })
}

test('a built site is good: pages with and without ending, folders, headings, other hosts', async (t) => {
  const folder = await given(t, {
    'a.html':
      '<a href="b"><a href="/docs/b.html#%C3%BC"><a href="./"><a href="https://example.org">',
    'b.html': '<h2 id="ü"><a href="#ü"><link rel="icon" href="data:,">',
    'index.html': '',
  })
  t.deepEqual(await checkSite(folder, '/docs/'), { links: 6, problems: [] })
})

async function build(t: ExecutionContext, files: { readonly [path: string]: string }) {
  const root = await given(t, files)
  const out = join(root, 'out')
  const scratch = join(root, 'scratch')
  const built = await buildSite({ root, out, scratch, base: '/pi/', tools: siteTools })
  return { built, read: (file: string) => readFile(join(out, file), 'utf8') }
}

needing(test.serial, tools.site)(
  'a site is built: what GitHub shows as text is text, what it links is linked',
  async (t) => {
    const { built, read } = await build(t, checkout)
    t.like(built, { pages: 5, sources: 3 })
    t.true(built.links > 50)
    const first = await read('tutorials/first.html')
    t.regex(first, /href="\/pi\/guides\/second(\.html)?#what-is-sold"/)
    t.regex(first, /\{\{ price \}\} costs \{5\} units: <code[^>]*>\{\{ code \}\}<\/code> :smile:/)
    t.regex(await read('guides/second.html'), /<h2 id="what-is-sold"/)
  },
)

needing(test.serial, tools.site)(
  'a site with dead links is not built, and all of them are named',
  async (t) => {
    const text = '# Words\n\n[a](guides/gone.md) [b](guides/second.md#gone)\n'
    const refused = await t.throwsAsync(build(t, { ...checkout, 'docs/glossary.md': text }))
    t.like(refused, { code: 'site_failed' })
    t.regex(
      refused?.message ?? '',
      /glossary\.html: \/pi\/guides\/second\S*#gone names no heading\n +glossary\.html: \S+guides\/gone\S* leads nowhere$/,
    )
  },
)

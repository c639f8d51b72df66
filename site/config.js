// How the site looks. ./scripts/site writes its pages and its navigation, and says where they are.
import { readFileSync } from 'node:fs'
import { slug } from '../scripts/lib/site/markdown.ts'

const { SITE_PAGES = '', SITE_OUT = '', SITE_BASE = '/' } = process.env
const { groups } = JSON.parse(readFileSync(`${SITE_PAGES}/site.json`, 'utf8'))
const reading = groups.filter(({ entries }) => entries.length > 0)

export default {
  title: 'µRaiden for Raspberry Pi',
  description: 'Machine-to-machine payments for small devices: documentation',
  lang: 'en',
  // It has none; a browser that is told so does not ask for one.
  head: [['link', { rel: 'icon', href: 'data:,' }]],
  srcDir: SITE_PAGES,
  outDir: SITE_OUT,
  base: SITE_BASE,
  // scripts/lib/site/check.ts finds them, and dead anchors with them.
  ignoreDeadLinks: true,
  markdown: {
    // Headings have the anchors that GitHub gives them, so a link with one leads to the same place.
    anchor: { slugify: slug },
    // What GitHub shows as it is written is text here as well.
    attrs: { disable: true },
    config: (markdown) => {
      markdown.disable(['emoji', 'snippet'])
      plainBraces(markdown)
    },
  },
  themeConfig: {
    nav: [
      { text: 'Contents', link: '/contents' },
      ...reading.slice(1).map(({ title, entries }) => ({ text: title, link: entries[0].link })),
    ],
    sidebar: reading.map(({ title, entries }) => ({
      text: title,
      collapsed: false,
      items: entries.map(({ title: text, link }) => ({ text, link })),
    })),
    outline: [2, 3],
    search: {
      provider: 'local',
      options: {
        // Files of the repository are there to be read from a page, not to be found before it.
        _render: (source, env, markdown) =>
          env.relativePath.startsWith('source/') ? '' : markdown.render(source, env),
      },
    },
  },
}

/** Vue would take `{{ … }}` in text for an expression. */
function plainBraces(markdown) {
  for (const name of ['text', 'code_inline']) {
    const render = markdown.renderer.rules[name]
    markdown.renderer.rules[name] = (...args) => render(...args).replaceAll('{{', '&#123;&#123;')
  }
}

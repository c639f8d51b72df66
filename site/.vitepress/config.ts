// Of the site that ./scripts/site builds: pages from .pages, which it has written there, and the menu beside them.
import { readFileSync } from 'node:fs'
import { defineConfig } from 'vitepress'
import { slugOf } from '../../scripts/lib/site/slug.ts'

export default defineConfig({
  title: 'µRaiden for Raspberry Pi',
  description: 'Machine-to-machine payments for small devices',
  lang: 'en',
  srcDir: '.pages',
  outDir: 'dist',
  cacheDir: '.cache',
  // Links that lead nowhere end the build; anchors are looked at afterwards, in what was built.
  ignoreDeadLinks: false,
  markdown: {
    anchor: { slugify: slugOf },
    // Braces in our pages are braces, neither attributes nor a program's.
    attrs: { disable: true },
    theme: { light: 'github-light-high-contrast', dark: 'github-dark-high-contrast' },
  },
  vue: { template: { compilerOptions: { delimiters: ['{{%', '%}}'] } } },
  themeConfig: {
    search: { provider: 'local' },
    outline: [2, 3],
    sidebar: JSON.parse(readFileSync(new URL('../.pages/menu.json', import.meta.url), 'utf8')),
  },
})

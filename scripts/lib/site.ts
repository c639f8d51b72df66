// ./scripts/site: see its --help.
import { spawnSync } from 'node:child_process'
import { cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Command } from 'commander'
import { toolError } from './shared/errors.ts'
import { runScript } from './shared/script.ts'
import { deadLinks } from './site/check.ts'
import { menuOf, placeOf, sitePage } from './site/pages.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))
const site = join(root, 'site')
const pages = join(site, '.pages')

const { repository } = new Command('site')
  .description('the documentation as a web site with search, in site/dist: static files')
  .option(
    '--repository <url>',
    'where the sources are, such as https://example.org/us/it/blob/main',
  )
  .parse()
  .opts<{ readonly repository?: string }>()

await runScript('site', async () => {
  const written = await writePages()
  const vitepress = join(site, 'node_modules/vitepress/bin/vitepress.js')
  const { status } = spawnSync(process.execPath, [vitepress, 'build'], {
    cwd: site,
    stdio: 'inherit',
  })
  if (status !== 0) {
    throw toolError({ code: 'site_not_built', message: `VitePress ended with ${status}.` })
  }
  const dead = await deadLinks(join(site, 'dist'))
  if (dead.length > 0) {
    throw toolError({
      code: 'site_dead_links',
      message: `${dead.length} links lead nowhere:\n${dead.join('\n')}`,
    })
  }
  process.stdout.write(`${written} pages in site/dist; every link and anchor leads somewhere\n`)
})

/** How many. */
async function writePages(): Promise<number> {
  await rm(pages, { recursive: true, force: true })
  await mkdir(pages, { recursive: true })
  const listed = await readdir(join(root, 'docs'), { recursive: true })
  const ours = [...(await readdir(root)), ...listed.map((path) => `docs/${path}`)]
  let written = 0
  for (const path of ours) {
    const place = placeOf(path)
    if (place === undefined) continue
    await mkdir(dirname(join(pages, place)), { recursive: true })
    const text = await readFile(join(root, path), 'utf8')
    await writeFile(join(pages, place), sitePage(path, text, repository))
    written++
  }
  await cp(join(root, 'docs/images'), join(pages, 'images'), { recursive: true })
  const index = await readFile(join(root, 'docs/README.md'), 'utf8')
  await writeFile(join(pages, 'menu.json'), JSON.stringify(menuOf(index)))
  return written
}

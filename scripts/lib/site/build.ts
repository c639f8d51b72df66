// Builds the site: pages, VitePress, and then a look at what came out.
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { toolError } from '../shared/errors.ts'
import { checkSite } from './check.ts'
import { type Site, writePages } from './pages.ts'

export interface Built extends Omit<Site, 'groups'> {
  readonly links: number
}

export interface Options {
  /** The checkout whose pages these are. */
  readonly root: string
  /** Emptied, and filled. */
  readonly out: string
  /** For what is made on the way. */
  readonly scratch: string
  /** The path at which the site is served, with a slash at both ends. */
  readonly base: string
  /** Of the tools: this checkout's `site/`. */
  readonly tools: string
}

/** @throws UraidenError `site_tools_missing`, `site_failed` */
export async function buildSite({ root, out, scratch, base, tools }: Options): Promise<Built> {
  const program = join(tools, 'node_modules/vitepress/bin/vitepress.js')
  if (!existsSync(program)) {
    throw toolError({ code: 'site_tools_missing', message: `VitePress is not in ${tools}.` })
  }
  const pages = join(scratch, 'pages')
  await prepare(scratch, tools)
  const { groups, ...counts } = await writePages(root, pages)
  await writeFile(join(pages, 'site.json'), JSON.stringify({ groups }))
  const env = { ...process.env, SITE_PAGES: pages, SITE_OUT: out, SITE_BASE: base }
  await promisify(execFile)(process.execPath, [program, 'build', scratch], {
    env,
    maxBuffer: 2 ** 26,
  }).catch((cause: { readonly stdout?: string; readonly stderr?: string }) => {
    const said = `${cause.stdout ?? ''}${cause.stderr ?? ''}`.trim()
    throw toolError({ code: 'site_failed', message: `VitePress did not build it:\n${said}`, cause })
  })
  const { links, problems } = await checkSite(out, base)
  if (problems.length > 0) {
    const list = problems.map((problem) => `  ${problem}`).join('\n')
    throw toolError({ code: 'site_failed', message: `Links of the site lead nowhere:\n${list}` })
  }
  return { ...counts, links }
}

/**
 * A root for VitePress of this build alone: it writes beside its configuration, and pages look for Vue from
 * where they are.
 */
async function prepare(scratch: string, tools: string): Promise<void> {
  await rm(scratch, { recursive: true, force: true })
  await mkdir(join(scratch, '.vitepress/theme'), { recursive: true })
  await symlink(join(tools, 'node_modules'), join(scratch, 'node_modules'))
  for (const file of ['config.js', 'theme/index.js']) {
    const text = `export { default } from ${JSON.stringify(join(tools, file))}\n`
    await writeFile(join(scratch, '.vitepress', file), text)
  }
}

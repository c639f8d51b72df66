// ./scripts/site: see its --help.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Command, InvalidArgumentError } from 'commander'
import { integer } from './shared/arguments.ts'
import { runScript } from './shared/script.ts'
import { buildSite } from './site/build.ts'

interface Options {
  readonly out: string
  readonly base: string
  readonly serve?: number
}

const root = fileURLToPath(new URL('../..', import.meta.url))
const tools = join(root, 'site')

const options = new Command('site')
  .description('build the documentation as a site of static files, and check every link in it')
  .option('--out <folder>', 'where to; what is in it goes', 'dist-site')
  .option('--base <path>', 'the path at which it is served, such as /docs/', basePath, '/')
  .option('--serve <port>', 'then show it on 127.0.0.1, until you press Ctrl-C', integer(1, 65_535))
  .parse()
  .opts<Options>()

await runScript('site', () => run(options))

async function run({ out, base, serve }: Options): Promise<void> {
  const folder = resolve(out)
  const began = performance.now()
  const scratch = join(root, '.cache/site')
  const built = await buildSite({ root, out: folder, scratch, base, tools })
  const seconds = Math.round((performance.now() - began) / 1000)
  process.stdout.write(
    `${folder}: ${built.pages} pages, ${built.sources} sources, ${built.links} links checked, ${seconds} s\n`,
  )
  if (serve === undefined) return
  const program = join(tools, 'node_modules/vitepress/bin/vitepress.js')
  const child = spawn(
    process.execPath,
    [program, 'preview', scratch, '--host', '127.0.0.1', '--port', `${serve}`],
    {
      env: {
        ...process.env,
        SITE_PAGES: join(scratch, 'pages'),
        SITE_OUT: folder,
        SITE_BASE: base,
      },
      stdio: 'inherit',
    },
  )
  process.stdout.write(`http://127.0.0.1:${serve}${base}\n`)
  await once(child, 'exit')
}

function basePath(text: string): string {
  if (/^\/([\w.~-]+\/)*$/.test(text)) return text
  throw new InvalidArgumentError('Write a path with a slash at both ends.')
}

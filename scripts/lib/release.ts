// ./scripts/release: see its --help.
import { readdir, readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Argument, Command, Option } from 'commander'
import { parseDuration } from '../../platform/config/index.ts'
import { demandCommitted, inClone } from './release/again.ts'
import { publish } from './release/apt/publish.ts'
import { type BuildOptions, buildArtefacts, type Kind, kinds } from './release/artefacts.ts'
import { sectionOf } from './release/changelog.ts'
import { demandTools, missingTools } from './release/needed.ts'
import { demandSameSums } from './release/sums.ts'
import { changesFor, checkedVersion, parseVersion, writeChanges } from './release/version.ts'
import { argument, oneOf, several } from './shared/arguments.ts'
import { toolError } from './shared/errors.ts'
import { runScript } from './shared/script.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))
const processors = ['amd64', 'arm64', 'armhf'] as const
const program = new Command('release').description(
  'a release: its version, all that is downloaded, and the apt repository',
)

program
  .command('version')
  .description('set the version everywhere, and give what is unreleased in CHANGELOG.md to it')
  .argument('<version>', 'three numbers, above the version now', argument(parseVersion))
  .option('--date <day>', 'of the release, such as 2026-11-28; today when not given')
  .option('--dry-run', 'only say what would change')
  .action((version: string, options: VersionOptions) =>
    runScript('release version', () => setVersion(version, options)),
  )

program
  .command('build')
  .description('npm packages, Debian packages, executables, bills of materials, checksums')
  .addArgument(
    new Argument('[processors...]', 'of Debian packages and executables')
      .choices(processors)
      .default([], 'all'),
  )
  .addOption(
    new Option('--only <kind>', 'npm, deb or executable; may be given again')
      .argParser(several(oneOf(kinds)))
      .default(undefined, 'all'),
  )
  .option('--out <folder>', 'a new one', join(root, 'dist-release'))
  .addOption(
    new Option('--compression <how>', 'of Debian packages; fast is for trying')
      .choices(['small', 'fast'])
      .default('small'),
  )
  .option('--twice', 'build again in a clone elsewhere, and fail unless all checksums are the same')
  .option('--dry-run', 'only say whether it could be built here, and what the release notes are')
  .action((platforms: readonly string[], options: BuildFlags) =>
    runScript('release build', () => build(platforms, options)),
  )

program
  .command('apt')
  .description('publish Debian packages in an apt repository, which is a folder of static files')
  .argument('<repository>', 'its folder; earlier versions in it stay')
  .requiredOption('--key <id>', 'of gpg, which signs: a fingerprint or an e-mail address')
  .option('--packages <folder>', 'what is published', join(root, 'dist-release'))
  .option('--suite <name>', 'of the repository', 'stable')
  .option('--url <url>', 'where it will be served: writes uraiden.sources for its readers')
  .option(
    '--valid-for <duration>',
    'apt takes no older copy; then publish again in time',
    argument(parseDuration),
  )
  .action((repository: string, options: AptOptions) =>
    runScript('release apt', () => publishPackages(repository, options)),
  )

await program.parseAsync()

interface VersionOptions {
  readonly date?: string
  readonly dryRun?: true
}

async function setVersion(version: string, options: VersionOptions): Promise<void> {
  const date = options.date ?? new Date().toISOString().slice(0, 10)
  const changes = await changesFor(root, version, date)
  if (!options.dryRun) await writeChanges(root, changes)
  const verb = options.dryRun ? 'would change' : 'changed'
  say(...[...changes.keys()].map((path) => `${verb} ${path}`))
  if (!options.dryRun) {
    say(`Next: git commit --all --message 'Release ${version}' && git tag v${version}`)
  }
}

interface BuildFlags {
  readonly only?: readonly Kind[]
  readonly out: string
  readonly compression: BuildOptions['compression']
  readonly twice?: true
  readonly dryRun?: true
}

async function build(platforms: readonly string[], flags: BuildFlags): Promise<void> {
  const version = await checkedVersion(root)
  const chosen = flags.only ?? kinds
  if (flags.dryRun) return rehearse(version, chosen)
  demandTools(chosen)
  await demandCommitted(root)
  const { compression } = flags
  const options = { root, version, kinds: chosen, platforms, compression, into: resolve(flags.out) }
  const sums = await buildArtefacts(options)
  say(...[...sums].map(([file, sum]) => `${sum}  ${file}`))
  if (!flags.twice) return
  await inClone(root, async (clone) => {
    demandSameSums(
      sums,
      await buildArtefacts({ ...options, root: clone, into: join(clone, 'again') }),
    )
  })
  say(`Built again in another folder: the same ${sums.size} checksums.`)
}

async function rehearse(version: string, chosen: readonly Kind[]): Promise<void> {
  const changelog = await readFile(join(root, 'CHANGELOG.md'), 'utf8')
  const released = sectionOf(changelog, version)
  if (released === undefined) {
    throw toolError({
      code: 'release_empty',
      message: `CHANGELOG.md has no section for ${version}.`,
    })
  }
  const coming = sectionOf(changelog, 'Unreleased')?.match(/^- /gm)?.length ?? 0
  say(`version ${version}, the same in package.json, package-lock.json and the programs`)
  say(`CHANGELOG.md has a section for it, and ${coming} changes that are not released`)
  for (const kind of chosen) {
    const missing = missingTools([kind])
    say(
      `${kind}: ${missing.length === 0 ? 'can be built here' : `NOT here, for want of ${missing.join(', ')}`}`,
    )
  }
}

interface AptOptions {
  readonly key: string
  readonly packages: string
  readonly suite: string
  readonly url?: string
  /** In milliseconds. */
  readonly validFor?: number
}

async function publishPackages(folder: string, options: AptOptions): Promise<void> {
  const { key, packages, suite, url, validFor } = options
  const files = await readdir(packages).catch(() => [])
  const debs = files.filter((name) => name.endsWith('.deb')).map((name) => join(packages, name))
  if (debs.length === 0) {
    throw toolError({ code: 'release_nothing', message: `${packages} has no Debian packages.` })
  }
  const { SOURCE_DATE_EPOCH: given } = process.env
  const date = Number(given ?? Math.floor(Date.now() / 1000))
  const published = await publish({
    ...{ repository: resolve(folder), debs, key, suite, date },
    ...(validFor !== undefined && { validFor: Math.floor(validFor / 1000) }),
    ...(url !== undefined && { url }),
  })
  say(...published.map(({ path }) => path), `${published.length} packages in ${folder}, ${suite}`)
}

function say(...lines: readonly string[]): void {
  process.stdout.write(lines.map((line) => `${line}\n`).join(''))
}

// A release: its version, its notes, its checksums, and the apt repository. That two builds give the same
// checksums is shown by `scripts/release build --twice`, that apt upgrades from it by `npm run test:pi -- --installed`.
import { execFile } from 'node:child_process'
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import test, { type ExecutionContext } from 'ava'
import { version } from '../../platform/system/version.ts'
import { hashesIn } from '../../scripts/lib/release/apt/release-file.ts'
import { releasedChangelog, sectionOf } from '../../scripts/lib/release/changelog.ts'
import { npmSbom } from '../../scripts/lib/release/sbom.ts'
import { demandSameSums, sha256, sumsOf, writeSums } from '../../scripts/lib/release/sums.ts'
import { changesFor, checkedVersion, writeChanges } from '../../scripts/lib/release/version.ts'
import { temporaryFolder } from '../support/folder.ts'
import { runScript, startScript } from '../support/script.ts'
import { needing, tools } from '../support/tools.ts'

const run = promisify(execFile)
const root = fileURLToPath(new URL('../../', import.meta.url))

const changelog = `# Changelog

## [Unreleased]

### Added

- A thing.

## [0.1.0] - 2026-11-21

- The first.

[Unreleased]: #unreleased
[0.1.0]: #010---2026-11-21
`

test('what was unreleased is of the version, and nothing is unreleased', (t) => {
  const released = releasedChangelog(changelog, '0.2.0', '2026-11-28')
  t.is(sectionOf(released, 'Unreleased'), '')
  t.is(sectionOf(released, '0.2.0'), '### Added\n\n- A thing.')
  t.is(sectionOf(released, '0.1.0'), '- The first.')
  t.true(released.includes('\n[0.2.0]: #020---2026-11-28\n'))
  t.is(sectionOf(released, '0.3.0'), undefined)
  t.throws(() => releasedChangelog(released, '0.3.0', '2026-11-29'), { code: 'release_empty' })
})

/** What a version is written in. */
const places = [
  'package.json',
  'package-lock.json',
  'deploy/home-assistant/uraiden_agent/config.yaml',
  'platform/system/version.ts',
]

/** Nothing but what a version is written in. */
async function givenCheckout(t: ExecutionContext): Promise<string> {
  const folder = await temporaryFolder(t)
  for (const path of places) {
    await mkdir(dirname(join(folder, path)), { recursive: true })
    await cp(join(root, path), join(folder, path))
  }
  await writeFile(join(folder, 'CHANGELOG.md'), changelog)
  return folder
}

test('a version is set everywhere at once, and changes nothing else', async (t) => {
  const folder = await givenCheckout(t)
  t.is(await checkedVersion(folder), version)
  await writeChanges(folder, await changesFor(folder, '99.0.1', '2026-11-28'))
  t.is(await checkedVersion(folder), '99.0.1')
  for (const path of places) {
    const before = (await readFile(join(root, path), 'utf8')).split('\n')
    const after = (await readFile(join(folder, path), 'utf8')).split('\n')
    const changed = after.filter((line, index) => line !== before[index])
    t.is(changed.length, path === 'package-lock.json' ? 2 : 1, path)
  }
})

test('a version is refused that is not above the one now, or is written in one place only', async (t) => {
  const folder = await givenCheckout(t)
  for (const next of [version, '0.0.99']) {
    await t.throwsAsync(changesFor(folder, next, '2026-11-28'), { code: 'release_version_older' })
  }
  await writeFile(join(folder, 'platform/system/version.ts'), `export const version = '0.0.2'\n`)
  await t.throwsAsync(checkedVersion(folder), { code: 'release_version_differs' })
})

test('a dry run says whether this machine can build it, and changes nothing', async (t) => {
  const built = await runScript(t, 'release', ['build', '--dry-run'])
  t.is(built.code, 0, built.stderr)
  t.true(built.stdout.startsWith(`version ${version}, the same in package.json`))
  for (const kind of ['npm', 'deb', 'executable']) {
    t.regex(
      built.stdout,
      new RegExp(`^${kind}: (can be built here|NOT here, for want of .+)$`, 'm'),
    )
  }
  const set = await runScript(t, 'release', ['version', '99.0.0', '--dry-run'])
  t.is(set.code, 0, set.stderr)
  t.regex(set.stdout, /^would change CHANGELOG\.md$/m)
  t.is(await checkedVersion(root), version)
  for (const malformed of ['0.2', '0.2.0-rc.1', 'v0.2.0', '00.2.0']) {
    const refused = await runScript(t, 'release', ['version', malformed, '--dry-run'])
    t.true(refused.code !== 0, malformed)
    t.regex(refused.stderr, /Write three numbers, such as 0\.2\.0/)
  }
})

test('checksums are what sha256sum checks, and other bytes in a second build are named', async (t) => {
  const folder = await temporaryFolder(t)
  await writeFile(join(folder, 'b.deb'), 'two')
  await writeFile(join(folder, 'a.tgz'), 'one')
  const sums = await sumsOf(folder)
  t.deepEqual([...sums.keys()], ['a.tgz', 'b.deb'])
  await writeSums(folder, sums)
  const { stdout } = await run('sha256sum', ['--check', 'SHA256SUMS'], { cwd: folder })
  t.is(stdout, 'a.tgz: OK\nb.deb: OK\n')
  t.notThrows(() => demandSameSums(sums, new Map(sums)))
  const second = new Map([...sums, ['b.deb', 'other'], ['c', 'more']])
  t.throws(() => demandSameSums(sums, second), { code: 'build_differs', message: /: b\.deb, c\.$/ })
})

test('the bill of materials of the npm packages names what is installed with them, and no tool of ours', async (t) => {
  const lock = await readFile(join(root, 'package-lock.json'), 'utf8')
  const bom = npmSbom(lock, '0.2.0', 1_700_000_000)
  const { components, metadata } = JSON.parse(bom)
  t.is(metadata.component.purl, 'pkg:npm/uraiden-pi@0.2.0')
  t.is(metadata.timestamp, '2023-11-14T22:13:20.000Z')
  const named = new Map<string, { readonly hashes?: readonly object[] }>(
    components.map((each: { readonly purl: string }) => [each.purl, each]),
  )
  const { dependencies, devDependencies } = JSON.parse(
    await readFile(join(root, 'package.json'), 'utf8'),
  )
  const purl = (name: string, of: unknown) => `pkg:npm/${name.replace('@', '%40')}@${of}`
  for (const [name, exact] of Object.entries(dependencies)) {
    t.is(named.get(purl(name, exact))?.hashes?.length, 1, name)
  }
  for (const tool of ['typescript', 'hardhat', 'ava']) {
    t.false(named.has(purl(tool, devDependencies[tool])), tool)
  }
})

const published = needing(test, tools.gpg, tools.dpkgDeb)

/** A key ring with one key, and a way to publish packages that are next to nothing. */
async function givenPublisher(t: ExecutionContext) {
  const folder = await temporaryFolder(t)
  // The socket of gpg's agent must have a short path.
  const home = await mkdtemp(join(tmpdir(), 'gpg-'))
  const environment = { GNUPGHOME: home }
  const env = { ...process.env, ...environment }
  t.teardown(async () => {
    await run('gpgconf', ['--kill', 'all'], { env })
    await rm(home, { recursive: true, force: true })
  })
  const made = ['--quick-generate-key', 'owner@example.org', 'ed25519', 'sign', '1d']
  await run('gpg', ['--batch', '--passphrase', '', ...made], { env })
  const repository = join(folder, 'apt')
  const pack = async (name: string, of: string, description = 'a test') => {
    const tree = join(folder, `tree-${name}-${of}`)
    await mkdir(join(tree, 'DEBIAN'), { recursive: true })
    const control = `Package: ${name}\nVersion: ${of}\nArchitecture: amd64\nMaintainer: nobody <nobody@example.org>\nDescription: ${description}\n more of it\n`
    await writeFile(join(tree, 'DEBIAN/control'), control)
    const into = join(folder, 'packages')
    await mkdir(into, { recursive: true })
    await run('dpkg-deb', [
      '--root-owner-group',
      '--build',
      tree,
      join(into, `${name}_${of}_amd64.deb`),
    ])
  }
  const publish = (...args: readonly string[]) =>
    startScript(
      t,
      'release',
      [
        'apt',
        repository,
        '--packages',
        join(folder, 'packages'),
        '--key',
        'owner@example.org',
        ...args,
      ],
      { folder, environment },
    ).ended
  const suite = join(repository, 'dists/stable')
  const read = (path: string) => readFile(join(repository, path), 'utf8')
  return { folder, repository, suite, pack, publish, read, env }
}

published('a repository says of each package what apt wants to know, signed', async (t) => {
  const { repository, suite, pack, publish, read } = await givenPublisher(t)
  await pack('uraiden-agent', '0.1.0')
  const { code, stdout, stderr } = await publish('--url', 'https://example.org/apt')
  t.is(code, 0, stderr)
  const path = 'pool/main/u/uraiden-agent/uraiden-agent_0.1.0_amd64.deb'
  t.true(stdout.startsWith(`${path}\n1 packages in `))
  const packages = await read('dists/stable/main/binary-amd64/Packages')
  t.regex(packages, /^Package: uraiden-agent\nVersion: 0\.1\.0\n/)
  t.true(packages.includes(`\nFilename: ${path}\n`))
  t.true(packages.includes(`\nSHA256: ${await sha256(join(repository, path))}\n`))
  t.is(await read('dists/stable/main/binary-arm64/Packages'), '')
  const release = await read('dists/stable/Release')
  for (const [, hash = '', size, file = ''] of release.matchAll(/^ (\S+) +(\d+) (\S+)$/gm)) {
    const bytes = await readFile(join(suite, file))
    t.is(bytes.length, Number(size))
    t.is(await sha256(join(suite, file)), hash)
    const byHash = join(suite, dirname(file), 'by-hash/SHA256', hash)
    t.deepEqual(await readFile(byHash), bytes)
  }
  t.is(hashesIn(release).length, 6)
  const keyring = join(repository, 'uraiden-archive-keyring.gpg')
  await run('gpgv', ['--keyring', keyring, join(suite, 'InRelease')])
  await run('gpgv', ['--keyring', keyring, join(suite, 'Release.gpg'), join(suite, 'Release')])
  await writeFile(
    join(suite, 'InRelease'),
    (await read('dists/stable/InRelease')).replace('main', 'mine'),
  )
  await t.throwsAsync(run('gpgv', ['--keyring', keyring, join(suite, 'InRelease')]))
  t.regex(await read('uraiden.sources'), /^URIs: https:\/\/example\.org\/apt$/m)
})

published('what is published stays; who was half-way finds the indices of before', async (t) => {
  const { suite, pack, publish, read } = await givenPublisher(t)
  const indices = () => readdir(join(suite, 'main/binary-amd64/by-hash/SHA256'))
  await pack('uraiden-agent', '0.1.0')
  t.is((await publish()).code, 0)
  const first = await indices()
  await pack('uraiden-agent', '0.2.0')
  t.is((await publish('--valid-for', '30d')).code, 0)
  const packages = await read('dists/stable/main/binary-amd64/Packages')
  t.deepEqual(
    [...packages.matchAll(/^Version: (.*)$/gm)].map(([, of]) => of),
    ['0.1.0', '0.2.0'],
  )
  t.is((await indices()).filter((hash) => first.includes(hash)).length, 2)
  t.regex(await read('dists/stable/Release'), /^Valid-Until: .* UTC$/m)
  await pack('uraiden-agent', '0.3.0')
  t.is((await publish()).code, 0)
  t.is((await indices()).length, 4)
  t.is((await indices()).filter((hash) => first.includes(hash)).length, 0)
})

published(
  'a package that is published already cannot change, and nothing is published without a key',
  async (t) => {
    const { pack, publish, read, folder } = await givenPublisher(t)
    const nothing = await publish()
    t.regex(nothing.stderr, /release_nothing/)
    await pack('uraiden-agent', '0.1.0')
    const keyless = await publish('--key', 'somebody@example.org')
    t.regex(keyless.stderr, /gpg has no key somebody@example\.org\.\n.*release_key_missing, exit 2/)
    await t.throwsAsync(read('dists/stable/Release'), { code: 'ENOENT' })
    t.is((await publish()).code, 0)
    const before = await read('dists/stable/InRelease')
    await rm(join(folder, 'packages'), { recursive: true })
    await pack('uraiden-agent', '0.1.0', 'another')
    const changed = await publish()
    t.regex(
      changed.stderr,
      /uraiden-agent_0\.1\.0_amd64\.deb is published already, with other bytes/,
    )
    t.is(await read('dists/stable/InRelease'), before)
  },
)

// The terms of everyone whose code is shipped, compiled or bundled go with it, and a bill of materials names it.
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { addons } from '../../deploy/pi/packaging/addons.ts'
import { bundleProgram } from '../../deploy/pi/packaging/bundle.ts'
import { noticesOf, writeCopyright } from '../../deploy/pi/packaging/copyright.ts'
import { platformOf } from '../../deploy/pi/packaging/platforms.ts'
import { programOf } from '../../deploy/pi/packaging/programs.ts'
import { integrityIn, writeSbom } from '../../deploy/pi/packaging/sbom.ts'
import { licencesOf, packagesIn } from '../../scripts/lib/shared/licences.ts'
import { buildPages } from '../../scripts/lib/web/build.ts'
import { temporaryFolder } from '../support/folder.ts'

/** In place of Node's own, which is fetched when a package is built. */
async function licenceOfNode(t: ExecutionContext): Promise<string> {
  const file = join(await temporaryFolder(t), 'LICENSE')
  await writeFile(file, 'Copyright Node.js contributors. - Acorn - libuv - V8\n')
  return file
}

for (const name of ['agent', 'receiver'] as const) {
  test(`${name}: every file of the bundle is ours or has its notice, native code and pages too`, async (t) => {
    const program = programOf(name)
    const platform = platformOf('arm64')
    const bundle = await bundleProgram(program)
    const notices = await noticesOf(bundle, platform, { licence: await licenceOfNode(t) })
    const ours =
      /^(agent|browser|contracts|platform|protocol|receiver)\/|^[a-z.-]+\.ts$|^deploy\/pi\/packaging\//
    const strange = bundle.inputs.filter(
      (input) => !ours.test(input) && packagesIn([input]).length === 0,
    )
    t.deepEqual(strange, [])
    for (const folder of packagesIn(bundle.inputs)) {
      const { name, version } = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'))
      const notice = notices.find((each) => each.name === name && each.version === version)
      t.regex(notice?.text ?? '', /copyright|licen[cs]e|permission/i, `${name} ${version}`)
    }

    const text = await writeCopyright(notices)
    const expected = [
      ['LevelDB', 'The LevelDB Authors'],
      ['Snappy', 'Google Inc'],
      ['napi-macros', 'Mathias Buus'],
      ['Node.js', 'libuv'],
      ['uplot', 'Leon Sorokin'],
      ...(name === 'agent'
        ? []
        : [
            ['libsecp256k1 0.1', 'Pieter Wuille'],
            ['libsecp256k1 0.8', 'Pieter Wuille'],
            ['node-addon-api', 'Node.js API collaborators'],
          ]),
    ]
    for (const [title = '', holder = ''] of expected) {
      t.regex(text, new RegExp(`\n${title}[ \n]`))
      t.true(text.includes(holder), holder)
    }

    const lock = integrityIn(await readFile('package-lock.json', 'utf8'))
    const described = { program, platform, version: '1.2.3', date: 0, integrity: lock }
    const sbom = writeSbom({ ...described, parts: notices })
    t.is(sbom, writeSbom({ ...described, parts: notices }))
    const { bomFormat, specVersion, metadata, components, dependencies } = JSON.parse(sbom)
    t.deepEqual([bomFormat, specVersion], ['CycloneDX', '1.6'])
    t.is(metadata.component.purl, `pkg:deb/${program.package}@1.2.3?arch=arm64`)
    const refs: readonly string[] = components.map((each: { 'bom-ref': string }) => each['bom-ref'])
    t.is(new Set(refs).size, refs.length)
    t.deepEqual(dependencies[0].dependsOn, refs)
    t.true(refs.includes('pkg:npm/%40noble/hashes@2.4.0'))
    t.true(refs.includes('pkg:generic/leveldb@1.20'))
    const ethers = components.find((each: { name: string }) => each.name === 'ethers')
    t.regex(ethers.hashes[0].content, /^[0-9a-f]{128}$/)
  })
}

test('each library whose sources an addon’s package brings is named with its notice', async (t) => {
  for (const { name, libraries } of addons) {
    const files = await readdir(`node_modules/${name}`, { recursive: true })
    const notices = files.filter((file) =>
      /^(?!node_modules).*\/(licen[cs]e|copying)[^/]*$/i.test(file),
    )
    const named = libraries.map(({ notice }) => notice.replace(`node_modules/${name}/`, ''))
    t.deepEqual(
      notices.filter((file) => !named.includes(file)),
      [],
      name,
    )
    t.true(named.length > 0)
  }
})

test('a bundled file without a notice stops the build', async (t) => {
  const folder = join(await temporaryFolder(t), 'node_modules/made-up')
  await mkdir(join(folder, 'vendored'), { recursive: true })
  const about = { name: 'made-up', version: '1.0.0' }
  const given = (more: object) =>
    writeFile(join(folder, 'package.json'), JSON.stringify({ ...about, ...more }))
  const input = `${relativeToCheckout(folder)}/vendored/index.js`
  const notices = () => licencesOf([input])
  for (const more of [{}, { license: 'GPL-3.0-only', author: 'A' }, { license: 'MIT' }]) {
    await given(more)
    await t.throwsAsync(notices(), { code: 'licence_missing', message: /made-up 1\.0\.0/ })
  }
  await given({ license: 'MIT', author: 'A. Author' })
  t.regex((await notices())[0]?.text ?? '', /^Copyright \(c\) A\. Author\n\nPermission/)
  // What it has taken from somebody else has terms of its own.
  await writeFile(join(folder, 'vendored/LICENSE'), 'Terms of B.')
  t.deepEqual(
    (await notices()).map(({ name, text }) => [name, text.slice(0, 11)]),
    [
      ['made-up', 'Copyright ('],
      ['made-up/vendored', 'Terms of B.'],
    ],
  )
})

function relativeToCheckout(path: string): string {
  return `${'../'.repeat(process.cwd().split('/').length - 1)}${path.slice(1)}`
}

test('pages that are built for a package have the notices beside them', async (t) => {
  const folder = await temporaryFolder(t)
  await buildPages(folder)
  const text = await readFile(join(folder, 'receiver/web/assets/NOTICES.txt'), 'utf8')
  t.regex(text, /uplot 1\.6\.32\n\nThe MIT License \(MIT\)/)
})

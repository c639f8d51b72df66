// Compiles libsecp256k1 for the receiver's verifier: `npm run libsecp256k1`. The module is written as text into
// a TypeScript file, so that it goes wherever the code goes. `-- --check` compares instead of writing.
//
// The sources are those of a crate, brought by cargo, which checks their hash. The compiler is Debian 12's: the
// same sources give the same bytes only with the same compiler. It needs `apt-get install cargo clang-14 lld-14`.
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Its libsecp256k1 is the upstream commit below, 0.8.0 and what came after, with its names prefixed. */
const crate = {
  name: 'secp256k1-sys',
  version: '0.14.1',
  /** SHA-256 of the packed crate, as its registry has it. */
  hash: 'f6b2992d4a3cd244539a7d5d0966aadbe5ca7fb868a5d7e38c29499b9e709bbd',
  commit: '6e2c8bc4ecdc6e71dbe7a368f360d8d453ce435d',
} as const

const folder = fileURLToPath(new URL('../../../receiver/signatures/libsecp256k1', import.meta.url))
const written = join(folder, 'module.ts')

/** Unpacks the crate below `place`. @throws Error when cargo has another one, or none */
async function fetchSources(place: string): Promise<string> {
  const { name, version, hash, commit } = crate
  await mkdir(join(place, 'src'))
  await writeFile(join(place, 'src', 'lib.rs'), '')
  await writeFile(
    join(place, 'Cargo.toml'),
    `[package]\nname = "sources"\nversion = "0.0.0"\n\n[dependencies]\n${name} = "=${version}"\n`,
  )
  execFileSync('cargo', ['vendor', '--quiet', 'vendor'], {
    cwd: place,
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  const sources = join(place, 'vendor', name)
  const checksums = JSON.parse(await readFile(join(sources, '.cargo-checksum.json'), 'utf8'))
  if (checksums.package !== hash) throw new Error(`${name} ${version} is another crate`)
  const revision = await readFile(join(sources, 'depend', 'secp256k1-HEAD-revision.txt'), 'utf8')
  if (!revision.includes(commit)) throw new Error(`${name} ${version} holds another library`)
  return sources
}

/**
 * A window of 11 is as fast as the library's own 15 here, with a tenth of its table. 64-bit products by parts:
 * WebAssembly has no 128-bit ones. Paths stay out of the file, which has no names.
 */
const flags = [
  '--target=wasm32-unknown-unknown',
  '-O2',
  '-std=c99',
  '-ffreestanding',
  '-nostdlib',
  '-fvisibility=hidden',
  '-mbulk-memory',
  '-msimd128',
  '-w',
  '-DECMULT_WINDOW_SIZE=11',
  '-DENABLE_MODULE_RECOVERY=1',
  '-DUSE_EXTERNAL_DEFAULT_CALLBACKS=1',
  '-DUSE_FORCE_WIDEMUL_INT64=1',
  '-Dprintf(...)=',
  '-Wl,--no-entry,--gc-sections,--strip-all,-z,stack-size=65536',
  '-fuse-ld=/usr/bin/wasm-ld-14',
] as const

async function compile(sources: string, place: string): Promise<Buffer> {
  const library = join(sources, 'depend', 'secp256k1')
  const module = join(place, 'module.wasm')
  execFileSync(
    'clang-14',
    [
      ...flags,
      ...[library, join(library, 'include'), join(sources, 'wasm', 'wasm-sysroot')].map(
        (path) => `-I${path}`,
      ),
      '-o',
      module,
      join(folder, 'verifier.c'),
      join(library, 'src', 'precomputed_ecmult.c'),
      join(library, 'src', 'precomputed_ecmult_gen.c'),
    ],
    { stdio: 'inherit' },
  )
  return readFile(module)
}

function asText(module: Buffer): string {
  const hash = createHash('sha256').update(module).digest('hex')
  return `// Written by \`npm run libsecp256k1\` from verifier.c and libsecp256k1 (MIT, see COPYING). Do not edit.
// Crate ${crate.name} ${crate.version}, upstream commit ${crate.commit}.
// ${module.length} bytes, SHA-256 ${hash}

/** A WebAssembly module without imports, in base64. */
export const libsecp256k1 =
  '${module.toString('base64')}'
`
}

const place = await mkdtemp(join(tmpdir(), 'libsecp256k1-'))
try {
  const text = asText(await compile(await fetchSources(place), place))
  if (!process.argv.includes('--check')) await writeFile(written, text)
  else if (text !== (await readFile(written, 'utf8'))) {
    process.stderr.write(`${written} is not what these sources give.\n`)
    process.exitCode = 1
  }
} finally {
  await rm(place, { recursive: true })
}

// The addon secp256k1 for processors that its package has no binary for, with the compiler of Debian.
// What is defined is what its binding.gyp defines for x64, without the assembler of that.
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Platform } from './platforms.ts'
import type { Runtime } from './runtime.ts'
import { checkout, tool } from './tools.ts'

const library = [
  'ECMULT_GEN_PREC_BITS=4',
  'ECMULT_WINDOW_SIZE=15',
  'ENABLE_MODULE_ECDH=1',
  'ENABLE_MODULE_RECOVERY=1',
  'USE_ENDOMORPHISM=1',
  'USE_NUM_NONE=1',
  'USE_FIELD_INV_BUILTIN=1',
  'USE_SCALAR_INV_BUILTIN=1',
  'HAVE___INT128=1',
  'USE_FIELD_5X52=1',
  'USE_SCALAR_4X64=1',
]

/** For 64 bits: the library calculates with integers of 128. */
export async function compileSecp256k1({ tools }: Platform, runtime: Runtime): Promise<Buffer> {
  const folder = await mkdtemp(join(tmpdir(), 'uraiden-secp256k1-'))
  const source = join(checkout, 'node_modules/secp256k1/src')
  const object = join(folder, 'library.o')
  const addon = join(folder, 'secp256k1.node')
  // Folders of this machine must not be in the file.
  const common = [
    '-O2',
    '-fPIC',
    `-ffile-prefix-map=${checkout}=.`,
    `-ffile-prefix-map=${folder}=.`,
  ]
  try {
    await tool(`${tools}-gcc`, [
      ...common,
      ...library.map((definition) => `-D${definition}`),
      ...['-w', '-fvisibility=hidden', `-I${source}/secp256k1`, `-I${source}/secp256k1/src`],
      ...['-c', `${source}/secp256k1/src/secp256k1.c`, '-o', object],
    ])
    await tool(`${tools}-g++`, [
      ...[...common, '-shared', '-s', '-Wl,-z,relro,-z,now', '-Wl,--build-id=none'],
      ...['-DNAPI_VERSION=6', `-I${runtime.headers}`, `-I${source}`],
      `-I${join(checkout, 'node_modules/node-addon-api')}`,
      ...[`${source}/addon.cc`, `${source}/secp256k1.cc`, object, '-o', addon],
    ])
    return await readFile(addon)
  } finally {
    await rm(folder, { recursive: true })
  }
}

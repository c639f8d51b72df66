// Native code that goes with a bundle, and the JavaScript that loads it there.

export interface Addon {
  readonly name: 'classic-level' | 'secp256k1'
  /** Beside the bundle. */
  readonly file: string
  /** What looks for it in folders of node_modules, which a package does not have. */
  readonly loader: string
  /** What that module exports, of what the addon exports as `addon`. */
  readonly exports: string
  /** What is compiled into it besides the package's own code. */
  readonly libraries: readonly Library[]
  /** Packages of which it was compiled with headers. */
  readonly headers: readonly string[]
}

export interface Library {
  readonly name: string
  readonly version: string
  /** By SPDX. */
  readonly licence: string
  /** The file with its notice. */
  readonly notice: string
}

export const addons: readonly Addon[] = [
  {
    name: 'classic-level',
    file: 'classic-level.node',
    loader: 'node_modules/classic-level/binding.js',
    exports: 'addon',
    libraries: [
      {
        name: 'LevelDB',
        version: '1.20',
        licence: 'BSD-3-Clause',
        notice: 'node_modules/classic-level/deps/leveldb/leveldb-1.20/LICENSE',
      },
      {
        name: 'Snappy',
        version: '1.1.4',
        licence: 'BSD-3-Clause',
        notice: 'node_modules/classic-level/deps/snappy/snappy/COPYING',
      },
    ],
    headers: ['napi-macros'],
  },
  {
    name: 'secp256k1',
    file: 'secp256k1.node',
    loader: 'node_modules/secp256k1/bindings.js',
    exports: "require('./lib')(new addon.Secp256k1())",
    libraries: [
      {
        name: 'libsecp256k1',
        version: '0.1',
        licence: 'MIT',
        notice: 'node_modules/secp256k1/src/secp256k1/COPYING',
      },
    ],
    headers: ['node-addon-api'],
  },
]

/** Where a bundle finds the file of an addon: an expression of JavaScript. */
export type AddonPath = (addon: Addon) => string

export const besideBundle: AddonPath = ({ file }) =>
  `require('node:path').join(__dirname, ${JSON.stringify(file)})`

/** Takes the place of `addon.loader`. */
export function loaderOf(addon: Addon, path: AddonPath): string {
  return `const loaded = { exports: {} }
process.dlopen(loaded, ${path(addon)})
const addon = loaded.exports
module.exports = ${addon.exports}
`
}

// Takes the place of classic-level/binding.js in the bundle: loads LevelDB's addon. In a package it
// lies beside the bundle; in a single executable it is an asset, and only a file can be loaded.
const { chmodSync, mkdtempSync, rmSync, writeFileSync } = require('node:fs')
const { tmpdir } = require('node:os')
const { join } = require('node:path')

const asset = 'classic-level.node'

function load(file) {
  const target = { exports: {} }
  process.dlopen(target, file)
  return target.exports
}

function loadAsset(sea) {
  // systemd gives a folder that only the service may write; elsewhere a new one with mode 700.
  const folder = mkdtempSync(join(process.env.RUNTIME_DIRECTORY ?? tmpdir(), 'uraiden-agent-'))
  const file = join(folder, asset)
  try {
    writeFileSync(file, new Uint8Array(sea.getRawAsset(asset)), { flag: 'wx', mode: 0o600 })
    chmodSync(file, 0o500)
    return load(file)
  } finally {
    // What is loaded stays loaded.
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Node 20.11 has no node:sea. */
function singleExecutable() {
  try {
    const sea = require('node:sea')
    return sea.isSea() ? sea : undefined
  } catch {
    return undefined
  }
}

const sea = singleExecutable()
module.exports = sea === undefined ? load(join(__dirname, asset)) : loadAsset(sea)

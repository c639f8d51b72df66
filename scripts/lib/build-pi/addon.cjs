// Takes the place of classic-level/binding.js in the bundle: in a package LevelDB's addon lies beside
// the bundle.
const { join } = require('node:path')

const addon = { exports: {} }
process.dlopen(addon, join(__dirname, 'classic-level.node'))
module.exports = addon.exports

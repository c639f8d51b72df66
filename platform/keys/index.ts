export * from './key-file.ts'
export * from './key-signer.ts'
export { askPassword, findPassword, type PasswordSources } from './password.ts'
export { readPrivateFile } from './private-file.ts'

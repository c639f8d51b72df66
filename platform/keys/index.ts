export * from './key-signer.ts'

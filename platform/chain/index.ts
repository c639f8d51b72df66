export * from './connect.ts'
export * from './send.ts'
export * from './types.ts'

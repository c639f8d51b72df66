/** Not for people: with it the daemon starts the process that reads its settings. See agent/cli/start.ts. */
export const readerCommand = 'hand-over-settings'

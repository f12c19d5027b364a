export {
  failedAnswer,
  hexOf,
  problemOfCode,
  problemOfError,
  type Row,
  rowFlag,
  rowInteger,
  rowList,
  rowText,
  type SectionAnswer,
  type SectionProblem,
} from './answers.ts';
export {
  CHANGE_NAMES,
  type ChangeAnswer,
  type ChangeName,
  type ChangeRun,
  changeScript,
  parseChange,
  runChange,
} from './change.ts';
export { askWithoutPowershell } from './fallback.ts';
export { createLineSplitter } from './line-splitter.ts';
export { parseLine } from './parse-line.ts';
export { sectionProblem } from './problem.ts';
export { askRegistry, parseRegQuery, type RegistryAnswer, type RegistryKey } from './registry.ts';
export { createWindowsRound, type WindowsRound, type WindowsRoundOptions } from './round.ts';
export { buildScript, encodeScript } from './script.ts';
export { SECTION_NAMES, type SectionName } from './sections.ts';
export { type ChangeTools, changeTools, type WindowsTools, windowsTools } from './tools.ts';
export { askWmic, type ToolCall, type WmicQuery } from './wmic.ts';
export { parseWmic } from './wmic-text.ts';

#!/usr/bin/env node
import { outliveReaders } from '@sitewarden/kit/stdio';
import { createProgram } from './commands/program.ts';

outliveReaders();
await createProgram().parseAsync();

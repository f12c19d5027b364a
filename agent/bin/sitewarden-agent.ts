#!/usr/bin/env node
import { createProgram } from '../cli/index.ts';

await createProgram().parseAsync();

#!/usr/bin/env node
// An executable for the suite's runner, which starts plugins by their path.
import { register } from 'tsx/esm/api';

register();
await import('./conformancePlugin.ts');

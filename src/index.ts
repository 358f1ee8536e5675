// The public names of Sallyport, one by one.
export { type Blame, ERROR_CODES, type ErrorCode, type Outcome } from './errors/codes.ts';
export { isSallyportError, type NativeStatus, SallyportError } from './errors/sallyport-error.ts';

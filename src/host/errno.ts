/** Error numbers as the kernel returns them, negated where they are returned (`-EBUSY`). @linux include/uapi/asm-generic/errno-base.h, errno.h */
export const EPERM = 1;
export const ENOENT = 2;
export const EIO = 5;
export const E2BIG = 7;
export const EBADF = 9;
export const EAGAIN = 11;
export const ENOMEM = 12;
export const EACCES = 13;
export const EFAULT = 14;
export const EBUSY = 16;
export const EEXIST = 17;
export const ENODEV = 19;
export const EINVAL = 22;
export const ENOSPC = 28;
export const ERANGE = 34;
export const EDEADLK = 35;
export const EBADRQC = 56;
export const ENONET = 64;
export const EPROTO = 71;
export const EOVERFLOW = 75;
export const EDESTADDRREQ = 89;
export const EMSGSIZE = 90;
export const ENOPROTOOPT = 92;
export const EOPNOTSUPP = 95;
export const EAFNOSUPPORT = 97;
export const EADDRINUSE = 98;
export const ENETDOWN = 100;
export const ENETUNREACH = 101;
export const ENOBUFS = 105;
export const ECONNREFUSED = 111;
export const EHOSTDOWN = 112;
export const EHOSTUNREACH = 113;
/** Not a uapi number, yet what programs see. @linux include/linux/errno.h */
export const ENOTSUPP = 524;

const NAMES: Readonly<Record<number, string>> = {
  ...{ 1: 'EPERM', 2: 'ENOENT', 5: 'EIO', 7: 'E2BIG', 9: 'EBADF', 11: 'EAGAIN', 12: 'ENOMEM' },
  ...{
    13: 'EACCES',
    14: 'EFAULT',
    16: 'EBUSY',
    17: 'EEXIST',
    19: 'ENODEV',
    22: 'EINVAL',
    28: 'ENOSPC',
  },
  ...{ 34: 'ERANGE', 35: 'EDEADLK', 97: 'EAFNOSUPPORT', 98: 'EADDRINUSE' },
  ...{ 56: 'EBADRQC', 64: 'ENONET', 71: 'EPROTO', 75: 'EOVERFLOW', 89: 'EDESTADDRREQ' },
  ...{ 90: 'EMSGSIZE', 92: 'ENOPROTOOPT', 95: 'EOPNOTSUPP', 112: 'EHOSTDOWN' },
  ...{
    100: 'ENETDOWN',
    101: 'ENETUNREACH',
    105: 'ENOBUFS',
    111: 'ECONNREFUSED',
    113: 'EHOSTUNREACH',
  },
  524: 'ENOTSUPP',
};

/** `EINVAL` for 22, and for -22. */
export function errnoName(errno: number): string {
  return NAMES[Math.abs(errno)] ?? `errno ${Math.abs(errno)}`;
}

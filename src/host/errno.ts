/** Error numbers as the kernel returns them, negated where they are returned (`-EBUSY`). @linux include/uapi/asm-generic/errno-base.h, errno.h */
export const ENOENT = 2;
export const EIO = 5;
export const E2BIG = 7;
export const ENOMEM = 12;
export const EACCES = 13;
export const EBUSY = 16;
export const EEXIST = 17;
export const EINVAL = 22;
export const EBADRQC = 56;
export const EOVERFLOW = 75;
export const EMSGSIZE = 90;
export const EOPNOTSUPP = 95;
export const ENETDOWN = 100;
/** Not a uapi number, yet what programs see. @linux include/linux/errno.h */
export const ENOTSUPP = 524;

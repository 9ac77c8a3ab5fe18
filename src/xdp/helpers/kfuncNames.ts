/**
 * Kernel functions of Linux 6.18 that XDP programs cannot call, or that the verifier does not model: a
 * call is refused in Linux's words, or by name. What may be called is in `kfuncProtos.ts`.
 *
 * @linux BTF_ID_FLAGS(func, ...) of all sets; kernel/bpf/helpers.c and others
 */

/** Of no set that XDP programs may use. */
export const KFUNCS_NOT_ALLOWED: readonly string[] = (
  'bbr_cwnd_event bbr_init bbr_main bbr_min_tso_segs bbr_set_state bbr_sndbuf_expand ' +
  'bbr_ssthresh bbr_undo_cwnd bpf_cpumask_acquire bpf_cpumask_and ' +
  'bpf_cpumask_any_and_distribute bpf_cpumask_any_distribute bpf_cpumask_clear ' +
  'bpf_cpumask_clear_cpu bpf_cpumask_copy bpf_cpumask_create bpf_cpumask_empty ' +
  'bpf_cpumask_equal bpf_cpumask_first bpf_cpumask_first_and bpf_cpumask_first_zero ' +
  'bpf_cpumask_full bpf_cpumask_intersects bpf_cpumask_or bpf_cpumask_populate ' +
  'bpf_cpumask_release bpf_cpumask_set_cpu bpf_cpumask_setall bpf_cpumask_subset ' +
  'bpf_cpumask_test_and_clear_cpu bpf_cpumask_test_and_set_cpu bpf_cpumask_test_cpu ' +
  'bpf_cpumask_weight bpf_cpumask_xor bpf_crypto_ctx_acquire bpf_crypto_ctx_create ' +
  'bpf_crypto_ctx_release bpf_dynptr_from_skb bpf_dynptr_from_skb_meta bpf_fentry_test1 ' +
  'bpf_get_dentry_xattr bpf_get_file_xattr bpf_get_task_exe_file ' +
  'bpf_kfunc_call_memb_release bpf_kfunc_call_test_release bpf_modify_return_test ' +
  'bpf_modify_return_test2 bpf_path_d_path bpf_put_file bpf_remove_dentry_xattr ' +
  'bpf_session_cookie bpf_session_is_return bpf_set_dentry_xattr ' +
  'bpf_sk_assign_tcp_reqsk bpf_sock_addr_set_sun_path bpf_sock_destroy ' +
  'bpf_sock_ops_enable_tx_tstamp css_rstat_flush css_rstat_updated cubictcp_acked ' +
  'cubictcp_cong_avoid cubictcp_cwnd_event cubictcp_init cubictcp_recalc_ssthresh ' +
  'cubictcp_state tcp_cong_avoid_ai tcp_reno_cong_avoid tcp_reno_ssthresh ' +
  'tcp_reno_undo_cwnd tcp_slow_start'
).split(' ');

/** They may sleep: no XDP program does. @linux KF_SLEEPABLE */
export const KFUNCS_SLEEPABLE: readonly string[] = (
  'bpf_arena_alloc_pages bpf_arena_free_pages bpf_arena_reserve_pages ' +
  'bpf_copy_from_user_dynptr bpf_copy_from_user_str bpf_copy_from_user_str_dynptr ' +
  'bpf_copy_from_user_task_dynptr bpf_copy_from_user_task_str ' +
  'bpf_copy_from_user_task_str_dynptr bpf_iter_dmabuf_destroy bpf_iter_dmabuf_new ' +
  'bpf_iter_dmabuf_next bpf_iter_kmem_cache_destroy bpf_iter_kmem_cache_new ' +
  'bpf_iter_kmem_cache_next bpf_lookup_user_key'
).split(' ');

/** Linux lets XDP programs call them; this verifier does not know enough of them. */
export const KFUNCS_UNMODELLED: readonly string[] = (
  'bpf_crypto_decrypt bpf_crypto_encrypt bpf_cgroup_read_xattr bpf_get_kmem_cache ' +
  'bpf_iter_css_destroy bpf_iter_css_new bpf_iter_css_next bpf_iter_css_task_destroy ' +
  'bpf_iter_css_task_new bpf_iter_css_task_next bpf_iter_task_destroy bpf_iter_task_new ' +
  'bpf_iter_task_next bpf_iter_task_vma_destroy bpf_iter_task_vma_new ' +
  'bpf_iter_task_vma_next bpf_percpu_obj_drop_impl bpf_percpu_obj_new_impl ' +
  'bpf_probe_read_kernel_dynptr bpf_probe_read_kernel_str_dynptr ' +
  'bpf_probe_read_user_dynptr bpf_probe_read_user_str_dynptr bpf_skb_ct_alloc ' +
  'bpf_skb_ct_lookup bpf_stream_vprintk_impl __bpf_trap'
).split(' ');

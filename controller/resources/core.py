"""Types of Kubernetes' own API (core/v1, meta/v1, others) that our resources are made of.

Written by tests/controller/resources/core_source.py from lightkube's models; do not edit.
Quantities and times stay as they were written.
"""

from typing import Any

from pydantic import Field, StrictBool, StrictStr

from controller.resources.model import Int64, IntOrString, Model, Quantity, Time


class ManagedFieldsEntry(Model):
    api_version: StrictStr | None = None
    fields_type: StrictStr | None = None
    fields_v1: dict[str, Any] | None = None
    manager: StrictStr | None = None
    operation: StrictStr | None = None
    subresource: StrictStr | None = None
    time: Time | None = None


class OwnerReference(Model):
    api_version: StrictStr
    kind: StrictStr
    name: StrictStr
    uid: StrictStr
    block_owner_deletion: StrictBool | None = None
    controller: StrictBool | None = None


class ObjectMeta(Model):
    name: StrictStr
    annotations: dict[str, StrictStr] = Field(default_factory=dict)
    creation_timestamp: Time | None = None
    deletion_grace_period_seconds: Int64 | None = None
    deletion_timestamp: Time | None = None
    finalizers: tuple[StrictStr, ...] = ()
    generate_name: StrictStr | None = None
    generation: Int64 | None = None
    labels: dict[str, StrictStr] = Field(default_factory=dict)
    managed_fields: tuple[ManagedFieldsEntry, ...] = ()
    namespace: StrictStr | None = None
    owner_references: tuple[OwnerReference, ...] = ()
    resource_version: StrictStr | None = None
    self_link: StrictStr | None = None
    uid: StrictStr | None = None


class ConfigMapKeySelector(Model):
    key: StrictStr
    name: StrictStr | None = None
    optional: StrictBool | None = None


class ObjectFieldSelector(Model):
    field_path: StrictStr
    api_version: StrictStr | None = None


class FileKeySelector(Model):
    key: StrictStr
    path: StrictStr
    volume_name: StrictStr
    optional: StrictBool | None = None


class ResourceFieldSelector(Model):
    resource: StrictStr
    container_name: StrictStr | None = None
    divisor: Quantity | None = None


class SecretKeySelector(Model):
    key: StrictStr
    name: StrictStr | None = None
    optional: StrictBool | None = None


class EnvVarSource(Model):
    config_map_key_ref: ConfigMapKeySelector | None = None
    field_ref: ObjectFieldSelector | None = None
    file_key_ref: FileKeySelector | None = None
    resource_field_ref: ResourceFieldSelector | None = None
    secret_key_ref: SecretKeySelector | None = None


class EnvVar(Model):
    name: StrictStr
    value: StrictStr | None = None
    value_from: EnvVarSource | None = None


class ConfigMapEnvSource(Model):
    name: StrictStr | None = None
    optional: StrictBool | None = None


class SecretEnvSource(Model):
    name: StrictStr | None = None
    optional: StrictBool | None = None


class EnvFromSource(Model):
    config_map_ref: ConfigMapEnvSource | None = None
    prefix: StrictStr | None = None
    secret_ref: SecretEnvSource | None = None


class ExecAction(Model):
    command: tuple[StrictStr, ...] = ()


class HTTPHeader(Model):
    name: StrictStr
    value: StrictStr


class HTTPGetAction(Model):
    port: IntOrString | None = None
    host: StrictStr | None = None
    http_headers: tuple[HTTPHeader, ...] = ()
    path: StrictStr | None = None
    protocol: StrictStr | None = None
    scheme: StrictStr | None = None


class SleepAction(Model):
    seconds: Int64


class TCPSocketAction(Model):
    port: IntOrString | None = None
    host: StrictStr | None = None


class LifecycleHandler(Model):
    exec: ExecAction | None = None
    http_get: HTTPGetAction | None = None
    sleep: SleepAction | None = None
    tcp_socket: TCPSocketAction | None = None


class Lifecycle(Model):
    post_start: LifecycleHandler | None = None
    pre_stop: LifecycleHandler | None = None
    stop_signal: StrictStr | None = None


class GRPCAction(Model):
    port: Int64
    mode: StrictStr | None = None
    service: StrictStr | None = None


class Probe(Model):
    exec: ExecAction | None = None
    failure_threshold: Int64 | None = None
    grpc: GRPCAction | None = None
    http_get: HTTPGetAction | None = None
    initial_delay_seconds: Int64 | None = None
    period_seconds: Int64 | None = None
    success_threshold: Int64 | None = None
    tcp_socket: TCPSocketAction | None = None
    termination_grace_period_seconds: Int64 | None = None
    timeout_seconds: Int64 | None = None


class ContainerPort(Model):
    container_port: Int64
    host_ip: StrictStr | None = None
    host_port: Int64 | None = None
    name: StrictStr | None = None
    protocol: StrictStr | None = None


class ContainerResizePolicy(Model):
    resource_name: StrictStr
    restart_policy: StrictStr


class ResourceClaim(Model):
    name: StrictStr
    request: StrictStr | None = None


class ResourceRequirements(Model):
    claims: tuple[ResourceClaim, ...] = ()
    limits: dict[str, Quantity] = Field(default_factory=dict)
    requests: dict[str, Quantity] = Field(default_factory=dict)


class ContainerRestartRuleOnExitCodes(Model):
    operator: StrictStr
    values: tuple[Int64, ...] = ()


class ContainerRestartRule(Model):
    action: StrictStr
    exit_codes: ContainerRestartRuleOnExitCodes | None = None


class AppArmorProfile(Model):
    type: StrictStr
    localhost_profile: StrictStr | None = None


class Capabilities(Model):
    add: tuple[StrictStr, ...] = ()
    drop: tuple[StrictStr, ...] = ()


class SELinuxOptions(Model):
    level: StrictStr | None = None
    role: StrictStr | None = None
    type: StrictStr | None = None
    user: StrictStr | None = None


class SeccompProfile(Model):
    type: StrictStr
    localhost_profile: StrictStr | None = None


class WindowsSecurityContextOptions(Model):
    gmsa_credential_spec: StrictStr | None = None
    gmsa_credential_spec_name: StrictStr | None = None
    host_process: StrictBool | None = None
    run_as_user_name: StrictStr | None = None


class SecurityContext(Model):
    allow_privilege_escalation: StrictBool | None = None
    app_armor_profile: AppArmorProfile | None = None
    capabilities: Capabilities | None = None
    privileged: StrictBool | None = None
    proc_mount: StrictStr | None = None
    read_only_root_filesystem: StrictBool | None = None
    run_as_group: Int64 | None = None
    run_as_non_root: StrictBool | None = None
    run_as_user: Int64 | None = None
    se_linux_options: SELinuxOptions | None = None
    seccomp_profile: SeccompProfile | None = None
    windows_options: WindowsSecurityContextOptions | None = None


class VolumeDevice(Model):
    device_path: StrictStr
    name: StrictStr


class VolumeMount(Model):
    mount_path: StrictStr
    name: StrictStr
    bind_mount_options: tuple[StrictStr, ...] = ()
    mount_propagation: StrictStr | None = None
    read_only: StrictBool | None = None
    recursive_read_only: StrictStr | None = None
    sub_path: StrictStr | None = None
    sub_path_expr: StrictStr | None = None


class Container(Model):
    name: StrictStr | None = None
    args: tuple[StrictStr, ...] = ()
    command: tuple[StrictStr, ...] = ()
    env: tuple[EnvVar, ...] = ()
    env_from: tuple[EnvFromSource, ...] = ()
    image: StrictStr | None = None
    image_pull_policy: StrictStr | None = None
    lifecycle: Lifecycle | None = None
    liveness_probe: Probe | None = None
    ports: tuple[ContainerPort, ...] = ()
    readiness_probe: Probe | None = None
    resize_policy: tuple[ContainerResizePolicy, ...] = ()
    resources: ResourceRequirements | None = None
    restart_policy: StrictStr | None = None
    restart_policy_rules: tuple[ContainerRestartRule, ...] = ()
    security_context: SecurityContext | None = None
    startup_probe: Probe | None = None
    stdin: StrictBool | None = None
    stdin_once: StrictBool | None = None
    termination_message_path: StrictStr | None = None
    termination_message_policy: StrictStr | None = None
    tty: StrictBool | None = None
    volume_devices: tuple[VolumeDevice, ...] = ()
    volume_mounts: tuple[VolumeMount, ...] = ()
    working_dir: StrictStr | None = None


class NodeSelectorRequirement(Model):
    key: StrictStr
    operator: StrictStr
    values: tuple[StrictStr, ...] = ()


class NodeSelectorTerm(Model):
    match_expressions: tuple[NodeSelectorRequirement, ...] = ()
    match_fields: tuple[NodeSelectorRequirement, ...] = ()


class PreferredSchedulingTerm(Model):
    preference: NodeSelectorTerm
    weight: Int64


class NodeSelector(Model):
    node_selector_terms: tuple[NodeSelectorTerm, ...]


class NodeAffinity(Model):
    preferred_during_scheduling_ignored_during_execution: tuple[PreferredSchedulingTerm, ...] = ()
    required_during_scheduling_ignored_during_execution: NodeSelector | None = None


class LabelSelectorRequirement(Model):
    key: StrictStr
    operator: StrictStr
    values: tuple[StrictStr, ...] = ()


class LabelSelector(Model):
    match_expressions: tuple[LabelSelectorRequirement, ...] = ()
    match_labels: dict[str, StrictStr] = Field(default_factory=dict)


class PodAffinityTerm(Model):
    topology_key: StrictStr
    label_selector: LabelSelector | None = None
    match_label_keys: tuple[StrictStr, ...] = ()
    mismatch_label_keys: tuple[StrictStr, ...] = ()
    namespace_selector: LabelSelector | None = None
    namespaces: tuple[StrictStr, ...] = ()


class WeightedPodAffinityTerm(Model):
    pod_affinity_term: PodAffinityTerm
    weight: Int64


class PodAffinity(Model):
    preferred_during_scheduling_ignored_during_execution: tuple[WeightedPodAffinityTerm, ...] = ()
    required_during_scheduling_ignored_during_execution: tuple[PodAffinityTerm, ...] = ()


class PodAntiAffinity(Model):
    preferred_during_scheduling_ignored_during_execution: tuple[WeightedPodAffinityTerm, ...] = ()
    required_during_scheduling_ignored_during_execution: tuple[PodAffinityTerm, ...] = ()


class Affinity(Model):
    node_affinity: NodeAffinity | None = None
    pod_affinity: PodAffinity | None = None
    pod_anti_affinity: PodAntiAffinity | None = None


class PodDNSConfigOption(Model):
    name: StrictStr | None = None
    value: StrictStr | None = None


class PodDNSConfig(Model):
    nameservers: tuple[StrictStr, ...] = ()
    options: tuple[PodDNSConfigOption, ...] = ()
    searches: tuple[StrictStr, ...] = ()


class EphemeralContainer(Model):
    name: StrictStr
    args: tuple[StrictStr, ...] = ()
    command: tuple[StrictStr, ...] = ()
    env: tuple[EnvVar, ...] = ()
    env_from: tuple[EnvFromSource, ...] = ()
    image: StrictStr | None = None
    image_pull_policy: StrictStr | None = None
    lifecycle: Lifecycle | None = None
    liveness_probe: Probe | None = None
    ports: tuple[ContainerPort, ...] = ()
    readiness_probe: Probe | None = None
    resize_policy: tuple[ContainerResizePolicy, ...] = ()
    resources: ResourceRequirements | None = None
    restart_policy: StrictStr | None = None
    restart_policy_rules: tuple[ContainerRestartRule, ...] = ()
    security_context: SecurityContext | None = None
    startup_probe: Probe | None = None
    stdin: StrictBool | None = None
    stdin_once: StrictBool | None = None
    target_container_name: StrictStr | None = None
    termination_message_path: StrictStr | None = None
    termination_message_policy: StrictStr | None = None
    tty: StrictBool | None = None
    volume_devices: tuple[VolumeDevice, ...] = ()
    volume_mounts: tuple[VolumeMount, ...] = ()
    working_dir: StrictStr | None = None


class EvictionResponder(Model):
    name: StrictStr
    priority: Int64


class HostAlias(Model):
    ip: StrictStr
    hostnames: tuple[StrictStr, ...] = ()


class LocalObjectReference(Model):
    name: StrictStr | None = None


class PodOS(Model):
    name: StrictStr | None = None


class PodReadinessGate(Model):
    condition_type: StrictStr


class PodResourceClaim(Model):
    name: StrictStr
    resource_claim_name: StrictStr | None = None
    resource_claim_template_name: StrictStr | None = None


class PodSchedulingGate(Model):
    name: StrictStr


class PodSchedulingGroup(Model):
    pod_group_name: StrictStr | None = None


class Sysctl(Model):
    name: StrictStr
    value: StrictStr


class PodSecurityContext(Model):
    app_armor_profile: AppArmorProfile | None = None
    fs_group: Int64 | None = None
    fs_group_change_policy: StrictStr | None = None
    run_as_group: Int64 | None = None
    run_as_non_root: StrictBool | None = None
    run_as_user: Int64 | None = None
    se_linux_change_policy: StrictStr | None = None
    se_linux_options: SELinuxOptions | None = None
    seccomp_profile: SeccompProfile | None = None
    supplemental_groups: tuple[Int64, ...] = ()
    supplemental_groups_policy: StrictStr | None = None
    sysctls: tuple[Sysctl, ...] = ()
    windows_options: WindowsSecurityContextOptions | None = None


class Toleration(Model):
    effect: StrictStr | None = None
    key: StrictStr | None = None
    operator: StrictStr | None = None
    toleration_seconds: Int64 | None = None
    value: StrictStr | None = None


class TopologySpreadConstraint(Model):
    max_skew: Int64
    topology_key: StrictStr
    when_unsatisfiable: StrictStr
    label_selector: LabelSelector | None = None
    match_label_keys: tuple[StrictStr, ...] = ()
    min_domains: Int64 | None = None
    node_affinity_policy: StrictStr | None = None
    node_taints_policy: StrictStr | None = None


class AWSElasticBlockStoreVolumeSource(Model):
    volume_id: StrictStr
    fs_type: StrictStr | None = None
    partition: Int64 | None = None
    read_only: StrictBool | None = None


class AzureDiskVolumeSource(Model):
    disk_name: StrictStr
    disk_uri: StrictStr
    caching_mode: StrictStr | None = None
    fs_type: StrictStr | None = None
    kind: StrictStr | None = None
    read_only: StrictBool | None = None


class AzureFileVolumeSource(Model):
    secret_name: StrictStr
    share_name: StrictStr
    read_only: StrictBool | None = None


class CephFSVolumeSource(Model):
    monitors: tuple[StrictStr, ...]
    path: StrictStr | None = None
    read_only: StrictBool | None = None
    secret_file: StrictStr | None = None
    secret_ref: LocalObjectReference | None = None
    user: StrictStr | None = None


class CinderVolumeSource(Model):
    volume_id: StrictStr
    fs_type: StrictStr | None = None
    read_only: StrictBool | None = None
    secret_ref: LocalObjectReference | None = None


class KeyToPath(Model):
    key: StrictStr
    path: StrictStr
    mode: Int64 | None = None
    user: Int64 | None = None


class ConfigMapVolumeSource(Model):
    default_mode: Int64 | None = None
    default_user: Int64 | None = None
    items: tuple[KeyToPath, ...] = ()
    name: StrictStr | None = None
    optional: StrictBool | None = None


class CSIVolumeSource(Model):
    driver: StrictStr
    fs_type: StrictStr | None = None
    node_publish_secret_ref: LocalObjectReference | None = None
    read_only: StrictBool | None = None
    volume_attributes: dict[str, StrictStr] = Field(default_factory=dict)


class DownwardAPIVolumeFile(Model):
    path: StrictStr
    field_ref: ObjectFieldSelector | None = None
    mode: Int64 | None = None
    resource_field_ref: ResourceFieldSelector | None = None
    user: Int64 | None = None


class DownwardAPIVolumeSource(Model):
    default_mode: Int64 | None = None
    default_user: Int64 | None = None
    items: tuple[DownwardAPIVolumeFile, ...] = ()


class EmptyDirVolumeSource(Model):
    medium: StrictStr | None = None
    mode: Int64 | None = None
    size_limit: Quantity | None = None


class TypedLocalObjectReference(Model):
    kind: StrictStr
    name: StrictStr
    api_group: StrictStr | None = None


class TypedObjectReference(Model):
    kind: StrictStr
    name: StrictStr
    api_group: StrictStr | None = None
    namespace: StrictStr | None = None


class VolumeResourceRequirements(Model):
    limits: dict[str, Quantity] = Field(default_factory=dict)
    requests: dict[str, Quantity] = Field(default_factory=dict)


class PersistentVolumeClaimSpec(Model):
    access_modes: tuple[StrictStr, ...] = ()
    data_source: TypedLocalObjectReference | None = None
    data_source_ref: TypedObjectReference | None = None
    resources: VolumeResourceRequirements | None = None
    selector: LabelSelector | None = None
    storage_class_name: StrictStr | None = None
    volume_attributes_class_name: StrictStr | None = None
    volume_mode: StrictStr | None = None
    volume_name: StrictStr | None = None


class PersistentVolumeClaimTemplate(Model):
    spec: PersistentVolumeClaimSpec
    metadata: dict[str, Any] | None = None


class EphemeralVolumeSource(Model):
    volume_claim_template: PersistentVolumeClaimTemplate | None = None


class FCVolumeSource(Model):
    fs_type: StrictStr | None = None
    lun: Int64 | None = None
    read_only: StrictBool | None = None
    target_wwns: tuple[StrictStr, ...] = ()
    wwids: tuple[StrictStr, ...] = ()


class FlexVolumeSource(Model):
    driver: StrictStr
    fs_type: StrictStr | None = None
    options: dict[str, StrictStr] = Field(default_factory=dict)
    read_only: StrictBool | None = None
    secret_ref: LocalObjectReference | None = None


class FlockerVolumeSource(Model):
    dataset_name: StrictStr | None = None
    dataset_uuid: StrictStr | None = None


class GCEPersistentDiskVolumeSource(Model):
    pd_name: StrictStr
    fs_type: StrictStr | None = None
    partition: Int64 | None = None
    read_only: StrictBool | None = None


class GitRepoVolumeSource(Model):
    repository: StrictStr
    directory: StrictStr | None = None
    revision: StrictStr | None = None


class GlusterfsVolumeSource(Model):
    endpoints: StrictStr
    path: StrictStr
    read_only: StrictBool | None = None


class HostPathVolumeSource(Model):
    path: StrictStr
    type: StrictStr | None = None


class ImageVolumeSource(Model):
    pull_policy: StrictStr | None = None
    reference: StrictStr | None = None


class ISCSIVolumeSource(Model):
    iqn: StrictStr
    lun: Int64
    target_portal: StrictStr
    chap_auth_discovery: StrictBool | None = None
    chap_auth_session: StrictBool | None = None
    fs_type: StrictStr | None = None
    initiator_name: StrictStr | None = None
    iscsi_interface: StrictStr | None = None
    portals: tuple[StrictStr, ...] = ()
    read_only: StrictBool | None = None
    secret_ref: LocalObjectReference | None = None


class NFSVolumeSource(Model):
    path: StrictStr
    server: StrictStr
    read_only: StrictBool | None = None


class PersistentVolumeClaimVolumeSource(Model):
    claim_name: StrictStr
    read_only: StrictBool | None = None


class PhotonPersistentDiskVolumeSource(Model):
    pd_id: StrictStr
    fs_type: StrictStr | None = None


class PortworxVolumeSource(Model):
    volume_id: StrictStr
    fs_type: StrictStr | None = None
    read_only: StrictBool | None = None


class ClusterTrustBundleProjection(Model):
    path: StrictStr
    label_selector: LabelSelector | None = None
    name: StrictStr | None = None
    optional: StrictBool | None = None
    signer_name: StrictStr | None = None
    user: Int64 | None = None


class ConfigMapProjection(Model):
    items: tuple[KeyToPath, ...] = ()
    name: StrictStr | None = None
    optional: StrictBool | None = None


class DownwardAPIProjection(Model):
    items: tuple[DownwardAPIVolumeFile, ...] = ()


class PodCertificateProjection(Model):
    key_type: StrictStr
    signer_name: StrictStr
    certificate_chain_path: StrictStr | None = None
    credential_bundle_path: StrictStr | None = None
    key_path: StrictStr | None = None
    max_expiration_seconds: Int64 | None = None
    user: Int64 | None = None
    user_annotations: dict[str, StrictStr] = Field(default_factory=dict)


class SecretProjection(Model):
    items: tuple[KeyToPath, ...] = ()
    name: StrictStr | None = None
    optional: StrictBool | None = None


class ServiceAccountTokenProjection(Model):
    path: StrictStr
    audience: StrictStr | None = None
    expiration_seconds: Int64 | None = None
    user: Int64 | None = None


class VolumeProjection(Model):
    cluster_trust_bundle: ClusterTrustBundleProjection | None = None
    config_map: ConfigMapProjection | None = None
    downward_api: DownwardAPIProjection | None = None
    pod_certificate: PodCertificateProjection | None = None
    secret: SecretProjection | None = None
    service_account_token: ServiceAccountTokenProjection | None = None


class ProjectedVolumeSource(Model):
    default_mode: Int64 | None = None
    default_user: Int64 | None = None
    sources: tuple[VolumeProjection, ...] = ()


class QuobyteVolumeSource(Model):
    registry: StrictStr
    volume: StrictStr
    group: StrictStr | None = None
    read_only: StrictBool | None = None
    tenant: StrictStr | None = None
    user: StrictStr | None = None


class RBDVolumeSource(Model):
    image: StrictStr
    monitors: tuple[StrictStr, ...]
    fs_type: StrictStr | None = None
    keyring: StrictStr | None = None
    pool: StrictStr | None = None
    read_only: StrictBool | None = None
    secret_ref: LocalObjectReference | None = None
    user: StrictStr | None = None


class ScaleIOVolumeSource(Model):
    gateway: StrictStr
    secret_ref: LocalObjectReference
    system: StrictStr
    fs_type: StrictStr | None = None
    protection_domain: StrictStr | None = None
    read_only: StrictBool | None = None
    ssl_enabled: StrictBool | None = None
    storage_mode: StrictStr | None = None
    storage_pool: StrictStr | None = None
    volume_name: StrictStr | None = None


class SecretVolumeSource(Model):
    default_mode: Int64 | None = None
    default_user: Int64 | None = None
    items: tuple[KeyToPath, ...] = ()
    optional: StrictBool | None = None
    secret_name: StrictStr | None = None


class StorageOSVolumeSource(Model):
    fs_type: StrictStr | None = None
    read_only: StrictBool | None = None
    secret_ref: LocalObjectReference | None = None
    volume_name: StrictStr | None = None
    volume_namespace: StrictStr | None = None


class VsphereVirtualDiskVolumeSource(Model):
    volume_path: StrictStr
    fs_type: StrictStr | None = None
    storage_policy_id: StrictStr | None = None
    storage_policy_name: StrictStr | None = None


class Volume(Model):
    name: StrictStr
    aws_elastic_block_store: AWSElasticBlockStoreVolumeSource | None = None
    azure_disk: AzureDiskVolumeSource | None = None
    azure_file: AzureFileVolumeSource | None = None
    cephfs: CephFSVolumeSource | None = None
    cinder: CinderVolumeSource | None = None
    config_map: ConfigMapVolumeSource | None = None
    csi: CSIVolumeSource | None = None
    downward_api: DownwardAPIVolumeSource | None = None
    empty_dir: EmptyDirVolumeSource | None = None
    ephemeral: EphemeralVolumeSource | None = None
    fc: FCVolumeSource | None = None
    flex_volume: FlexVolumeSource | None = None
    flocker: FlockerVolumeSource | None = None
    gce_persistent_disk: GCEPersistentDiskVolumeSource | None = None
    git_repo: GitRepoVolumeSource | None = None
    glusterfs: GlusterfsVolumeSource | None = None
    host_path: HostPathVolumeSource | None = None
    image: ImageVolumeSource | None = None
    iscsi: ISCSIVolumeSource | None = None
    nfs: NFSVolumeSource | None = None
    persistent_volume_claim: PersistentVolumeClaimVolumeSource | None = None
    photon_persistent_disk: PhotonPersistentDiskVolumeSource | None = None
    portworx_volume: PortworxVolumeSource | None = None
    projected: ProjectedVolumeSource | None = None
    quobyte: QuobyteVolumeSource | None = None
    rbd: RBDVolumeSource | None = None
    scale_io: ScaleIOVolumeSource | None = None
    secret: SecretVolumeSource | None = None
    storageos: StorageOSVolumeSource | None = None
    vsphere_volume: VsphereVirtualDiskVolumeSource | None = None


class PodSpec(Model):
    containers: tuple[Container, ...] = ()
    active_deadline_seconds: Int64 | None = None
    affinity: Affinity | None = None
    automount_service_account_token: StrictBool | None = None
    dns_config: PodDNSConfig | None = None
    dns_policy: StrictStr | None = None
    enable_service_links: StrictBool | None = None
    ephemeral_containers: tuple[EphemeralContainer, ...] = ()
    eviction_responders: tuple[EvictionResponder, ...] = ()
    host_aliases: tuple[HostAlias, ...] = ()
    host_ipc: StrictBool | None = None
    host_network: StrictBool | None = None
    host_pid: StrictBool | None = None
    host_users: StrictBool | None = None
    hostname: StrictStr | None = None
    hostname_override: StrictStr | None = None
    image_pull_secrets: tuple[LocalObjectReference, ...] = ()
    init_containers: tuple[Container, ...] = ()
    node_name: StrictStr | None = None
    node_selector: dict[str, StrictStr] = Field(default_factory=dict)
    os: PodOS | None = None
    overhead: dict[str, Quantity] = Field(default_factory=dict)
    preemption_policy: StrictStr | None = None
    priority: Int64 | None = None
    priority_class_name: StrictStr | None = None
    readiness_gates: tuple[PodReadinessGate, ...] = ()
    resource_claims: tuple[PodResourceClaim, ...] = ()
    resources: ResourceRequirements | None = None
    restart_policy: StrictStr | None = None
    runtime_class_name: StrictStr | None = None
    scheduler_name: StrictStr | None = None
    scheduling_gates: tuple[PodSchedulingGate, ...] = ()
    scheduling_group: PodSchedulingGroup | None = None
    security_context: PodSecurityContext | None = None
    service_account: StrictStr | None = None
    service_account_name: StrictStr | None = None
    set_hostname_as_fqdn: StrictBool | None = None
    share_process_namespace: StrictBool | None = None
    subdomain: StrictStr | None = None
    termination_grace_period_seconds: Int64 | None = None
    tolerations: tuple[Toleration, ...] = ()
    topology_spread_constraints: tuple[TopologySpreadConstraint, ...] = ()
    volumes: tuple[Volume, ...] = ()


class AzureFilePersistentVolumeSource(Model):
    secret_name: StrictStr
    share_name: StrictStr
    read_only: StrictBool | None = None
    secret_namespace: StrictStr | None = None


class SecretReference(Model):
    name: StrictStr | None = None
    namespace: StrictStr | None = None


class CephFSPersistentVolumeSource(Model):
    monitors: tuple[StrictStr, ...]
    path: StrictStr | None = None
    read_only: StrictBool | None = None
    secret_file: StrictStr | None = None
    secret_ref: SecretReference | None = None
    user: StrictStr | None = None


class CinderPersistentVolumeSource(Model):
    volume_id: StrictStr
    fs_type: StrictStr | None = None
    read_only: StrictBool | None = None
    secret_ref: SecretReference | None = None


class ObjectReference(Model):
    api_version: StrictStr | None = None
    field_path: StrictStr | None = None
    kind: StrictStr | None = None
    name: StrictStr | None = None
    namespace: StrictStr | None = None
    resource_version: StrictStr | None = None
    uid: StrictStr | None = None


class CSIPersistentVolumeSource(Model):
    driver: StrictStr
    volume_handle: StrictStr
    controller_expand_secret_ref: SecretReference | None = None
    controller_publish_secret_ref: SecretReference | None = None
    fs_type: StrictStr | None = None
    node_expand_secret_ref: SecretReference | None = None
    node_publish_secret_ref: SecretReference | None = None
    node_stage_secret_ref: SecretReference | None = None
    read_only: StrictBool | None = None
    volume_attributes: dict[str, StrictStr] = Field(default_factory=dict)


class FlexPersistentVolumeSource(Model):
    driver: StrictStr
    fs_type: StrictStr | None = None
    options: dict[str, StrictStr] = Field(default_factory=dict)
    read_only: StrictBool | None = None
    secret_ref: SecretReference | None = None


class GlusterfsPersistentVolumeSource(Model):
    endpoints: StrictStr
    path: StrictStr
    endpoints_namespace: StrictStr | None = None
    read_only: StrictBool | None = None


class ISCSIPersistentVolumeSource(Model):
    iqn: StrictStr
    lun: Int64
    target_portal: StrictStr
    chap_auth_discovery: StrictBool | None = None
    chap_auth_session: StrictBool | None = None
    fs_type: StrictStr | None = None
    initiator_name: StrictStr | None = None
    iscsi_interface: StrictStr | None = None
    portals: tuple[StrictStr, ...] = ()
    read_only: StrictBool | None = None
    secret_ref: SecretReference | None = None


class LocalVolumeSource(Model):
    path: StrictStr
    fs_type: StrictStr | None = None


class VolumeNodeAffinity(Model):
    required: NodeSelector | None = None


class RBDPersistentVolumeSource(Model):
    image: StrictStr
    monitors: tuple[StrictStr, ...]
    fs_type: StrictStr | None = None
    keyring: StrictStr | None = None
    pool: StrictStr | None = None
    read_only: StrictBool | None = None
    secret_ref: SecretReference | None = None
    user: StrictStr | None = None


class ScaleIOPersistentVolumeSource(Model):
    gateway: StrictStr
    secret_ref: SecretReference
    system: StrictStr
    fs_type: StrictStr | None = None
    protection_domain: StrictStr | None = None
    read_only: StrictBool | None = None
    ssl_enabled: StrictBool | None = None
    storage_mode: StrictStr | None = None
    storage_pool: StrictStr | None = None
    volume_name: StrictStr | None = None


class StorageOSPersistentVolumeSource(Model):
    fs_type: StrictStr | None = None
    read_only: StrictBool | None = None
    secret_ref: ObjectReference | None = None
    volume_name: StrictStr | None = None
    volume_namespace: StrictStr | None = None


class PersistentVolumeSpec(Model):
    access_modes: tuple[StrictStr, ...] = ()
    aws_elastic_block_store: AWSElasticBlockStoreVolumeSource | None = None
    azure_disk: AzureDiskVolumeSource | None = None
    azure_file: AzureFilePersistentVolumeSource | None = None
    capacity: dict[str, Quantity] = Field(default_factory=dict)
    cephfs: CephFSPersistentVolumeSource | None = None
    cinder: CinderPersistentVolumeSource | None = None
    claim_ref: ObjectReference | None = None
    csi: CSIPersistentVolumeSource | None = None
    fc: FCVolumeSource | None = None
    flex_volume: FlexPersistentVolumeSource | None = None
    flocker: FlockerVolumeSource | None = None
    gce_persistent_disk: GCEPersistentDiskVolumeSource | None = None
    glusterfs: GlusterfsPersistentVolumeSource | None = None
    host_path: HostPathVolumeSource | None = None
    iscsi: ISCSIPersistentVolumeSource | None = None
    local: LocalVolumeSource | None = None
    mount_options: tuple[StrictStr, ...] = ()
    nfs: NFSVolumeSource | None = None
    node_affinity: VolumeNodeAffinity | None = None
    persistent_volume_reclaim_policy: StrictStr | None = None
    photon_persistent_disk: PhotonPersistentDiskVolumeSource | None = None
    portworx_volume: PortworxVolumeSource | None = None
    quobyte: QuobyteVolumeSource | None = None
    rbd: RBDPersistentVolumeSource | None = None
    scale_io: ScaleIOPersistentVolumeSource | None = None
    storage_class_name: StrictStr | None = None
    storageos: StorageOSPersistentVolumeSource | None = None
    volume_attributes_class_name: StrictStr | None = None
    volume_mode: StrictStr | None = None
    vsphere_volume: VsphereVirtualDiskVolumeSource | None = None


class ConfigMapFields(Model):
    binary_data: dict[str, StrictStr] = Field(default_factory=dict)
    data: dict[str, StrictStr] = Field(default_factory=dict)
    immutable: StrictBool | None = None


class SecretFields(Model):
    data: dict[str, StrictStr] = Field(default_factory=dict)
    immutable: StrictBool | None = None
    string_data: dict[str, StrictStr] = Field(default_factory=dict)
    type: StrictStr | None = None


class ServiceAccountFields(Model):
    automount_service_account_token: StrictBool | None = None
    image_pull_secrets: tuple[LocalObjectReference, ...] = ()
    secrets: tuple[ObjectReference, ...] = ()


class HPAScalingPolicy(Model):
    period_seconds: Int64
    type: StrictStr
    value: Int64


class HPAScalingRules(Model):
    policies: tuple[HPAScalingPolicy, ...] = ()
    select_policy: StrictStr | None = None
    stabilization_window_seconds: Int64 | None = None
    tolerance: Quantity | None = None


class HorizontalPodAutoscalerBehavior(Model):
    scale_down: HPAScalingRules | None = None
    scale_up: HPAScalingRules | None = None


class RollingUpdateDeployment(Model):
    max_surge: IntOrString | None = None
    max_unavailable: IntOrString | None = None


class DeploymentStrategy(Model):
    rolling_update: RollingUpdateDeployment | None = None
    type: StrictStr | None = None

//! What no key can say alone: values that must fit one another.

use refundry_service::signatures::webhook_secret;

use super::error::{ConfigError, ConfigErrors};
use super::sections::{AcquirerKind, Config};

impl Config {
    /// Everything that does not fit together.
    pub(super) fn check_together(&self) -> Result<(), ConfigErrors> {
        let mut errors = Vec::new();
        let certificate = !self.tls.cert.as_os_str().is_empty() && !self.tls.key.as_os_str().is_empty();
        if !self.tls.listen.is_empty() && !certificate {
            errors.push(ConfigError::new(
                "server.tls",
                "listens but lacks a certificate; set server.tls.cert and server.tls.key to PEM files",
                "已监听但缺少证书；请将 server.tls.cert 与 server.tls.key 设为 PEM 文件",
            ));
        }
        if self.server.roles.is_empty() {
            errors.push(ConfigError::new(
                "server.roles",
                "the process would do nothing; list \"api\", \"workers\" or both",
                "进程将无事可做；请写入 \"api\"、\"workers\" 或两者",
            ));
        }
        if self.server.listen.is_empty() && self.tls.listen.is_empty() {
            errors.push(ConfigError::new(
                "server.listen",
                "nothing listens, not even for health checks; set server.listen or server.tls.listen",
                "没有任何监听地址（健康检查也需要）；请设置 server.listen 或 server.tls.listen",
            ));
        }
        if self.workers.retry_delay_ms_min > self.workers.retry_delay_ms_max {
            errors.push(ConfigError::new(
                "workers.retry_delay_ms_min",
                "is longer than workers.retry_delay_ms_max; lower the first or raise the second",
                "大于 workers.retry_delay_ms_max；请调低前者或调高后者",
            ));
        }
        if self.workers.lease_ms <= self.workers.acquirer_timeout_ms {
            errors.push(ConfigError::new(
                "workers.lease_ms",
                "is not longer than workers.acquirer_timeout_ms, so a task would be taken twice; raise the first or lower the second",
                "不长于 workers.acquirer_timeout_ms，任务会被重复领取；请调高前者或调低后者",
            ));
        }
        self.check_acquirers(&mut errors);
        if errors.is_empty() { Ok(()) } else { Err(ConfigErrors(errors)) }
    }

    fn check_acquirers(&self, errors: &mut Vec<ConfigError>) {
        for (name, acquirer) in &self.acquirers {
            if acquirer.kind == AcquirerKind::Http && (acquirer.url.is_empty() || webhook_secret(&acquirer.secret).is_empty()) {
                errors.push(ConfigError::new(
                    &format!("acquirer.{name}"),
                    "has kind \"http\" but lacks its url or secret; set both",
                    "类型为 \"http\" 但缺少 url 或 secret；请同时设置",
                ));
            }
            if acquirer.kind == AcquirerKind::Http
                && !acquirer.recognises_duplicates
                && acquirer.unknown_is_final_after_ms <= self.workers.acquirer_timeout_ms
            {
                errors.push(ConfigError::new(
                    &format!("acquirer.{name}.unknown_is_final_after_ms"),
                    "is not longer than workers.acquirer_timeout_ms, so a refund that is still on its way would be sent again; raise the first",
                    "不长于 workers.acquirer_timeout_ms，仍在途中的退款会被再次发送；请调高前者",
                ));
            }
        }
        if self.acquirers.get("simulated").is_some_and(|acquirer| acquirer.kind != AcquirerKind::Simulated) {
            errors.push(ConfigError::new(
                "acquirer.simulated.kind",
                "must stay \"simulated\", which sandbox terminals rely on; give your acquirer another name",
                "必须保持 \"simulated\"（沙箱终端依赖它）；请为您的收单机构另取名称",
            ));
        }
    }
}

# The functions that cartridges' Ruby scripts expect of OPENSHIFT_CARTRIDGE_SDK_RUBY.
# It needs Ruby's own library alone, and reads nothing but the gear's files and environment.

require 'date'
require 'json'
require 'yaml'

module OpenShift
  module CartridgeSdk
    # A cartridge of this gear, as its manifest and its identity describe it.
    class Cartridge
      attr_reader :directory, :manifest, :name, :version, :short_name,
                  :cartridge_vendor, :cartridge_version

      def initialize(directory)
        @directory = directory.chomp('/')
        text = File.read(File.join(@directory, 'metadata', 'manifest.yml'), encoding: 'UTF-8')
        @manifest = CartridgeSdk.load_yaml(text)
        ident = Dir.glob(File.join(@directory, 'env', 'OPENSHIFT_*_IDENT')).min
        raise "#{@directory} has no identity" if ident.nil?
        @short_name = File.basename(ident)[/\AOPENSHIFT_(.*)_IDENT\z/, 1]
        @cartridge_vendor, @name, @version, @cartridge_version = File.read(ident).strip.split(':', 4)
      end

      def full_name
        "#{cartridge_vendor}-#{name}-#{version}"
      end

      def categories
        Array(manifest['Categories'])
      end

      def endpoints
        Array(manifest['Endpoints'])
      end

      def web_proxy?
        categories.include?('web_proxy')
      end

      def web_framework?
        categories.include?('web_framework')
      end
    end

    # Versions and dates that are not quoted are read, too; nothing else becomes an object.
    def self.load_yaml(text)
      YAML.safe_load(text, permitted_classes: [Date, Time, Symbol], aliases: true)
    end

    def primary_cartridge
      @primary_cartridge ||= Cartridge.new(ENV.fetch('OPENSHIFT_PRIMARY_CARTRIDGE_DIR'))
    end

    def primary_cartridge_manifest
      primary_cartridge.manifest
    end

    # "RATIO UUID UUID…": web gears for each proxy, rounded, and the gears that are both.
    def app_web_to_proxy_ratio_and_colocated_gears
      registry = gear_registry
      web = registry.fetch('web', {}).keys
      proxy = registry.fetch('proxy', {}).keys
      raise 'this application has no proxy gears' if proxy.empty?
      "#{(web.length / proxy.length.to_f).round} #{(web & proxy).join(' ')}"
    end

    # What is known of a deployment; scripts ask `metadata.hot_deploy`.
    DeploymentMetadata = Struct.new(:git_ref, :git_sha1, :id, :hot_deploy, :force_clean_build,
                                    :activations, :checksum)

    def latest_deployment_metadata
      folder = ENV['OPENSHIFT_DEPLOYMENTS_DIR'] || File.join(gear_home, 'app-deployments')
      latest = Dir.glob(File.join(folder, '[0-9]*')).max
      file = latest && File.join(latest, 'metadata.json')
      raise 'this gear has no deployment' unless file && File.file?(file)
      written = JSON.parse(File.read(file))
      DeploymentMetadata.new(*DeploymentMetadata.members.map { |name| written[name.to_s] })
    end

    # The values of OPENSHIFT_*_<variable>_ELEMENT, joined: of PATH the primary cartridge's comes
    # first, of LD_LIBRARY_PATH last.
    def get_path_from_elements(variable)
      element = "#{variable}_ELEMENT"
      of_primary = "OPENSHIFT_#{primary_short_name}_#{element}"
      names = ENV.keys.grep(/\AOPENSHIFT_.*_#{Regexp.escape(element)}\z/)
      names.reject! { |name| name.end_with?('_LD_LIBRARY_PATH_ELEMENT') } if element == 'PATH_ELEMENT'
      own, others = names.partition { |name| name == of_primary }
      ordered = element == 'PATH_ELEMENT' ? own + others : others + own
      ordered.map { |name| ENV[name] }.reject(&:empty?).join(':')
    end

    private

    def gear_home
      ENV['OPENSHIFT_HOMEDIR'] || ENV.fetch('HOME')
    end

    def gear_registry
      file = File.join(gear_home, 'gear-registry', 'gear-registry.json')
      raise 'this gear has no registry: its application has no web proxy' unless File.file?(file)
      JSON.parse(File.read(file))
    end

    def primary_short_name
      primary_cartridge.short_name
    rescue KeyError, SystemCallError, RuntimeError
      File.basename(ENV['OPENSHIFT_PRIMARY_CARTRIDGE_DIR'].to_s).upcase
    end
  end
end
